"""The training container: encoded features in, a random forest as ONNX out."""
