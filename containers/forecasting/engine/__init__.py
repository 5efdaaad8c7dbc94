"""The engine: series in, quantiles of their days to come as ONNX out, and served; DeepAR's contract, not its model."""
