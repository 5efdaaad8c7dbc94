"""Trains and serves a detector of objects as SageMaker's built-in object detection does; it is not AWS's program."""
