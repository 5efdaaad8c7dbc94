"""Trains and serves residual networks as SageMaker's built-in image classification does; it is not AWS's program."""
