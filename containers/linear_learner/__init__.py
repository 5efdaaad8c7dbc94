"""Trains and serves linear models as SageMaker's built-in linear learner does; it is not AWS's program."""
