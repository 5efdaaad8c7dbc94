"""Networks that are learnt with PyTorch and served as ONNX: what those of several workloads share."""
