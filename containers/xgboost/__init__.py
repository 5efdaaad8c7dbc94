"""Trains and serves gradient-boosted trees as SageMaker's built-in XGBoost does; it is not AWS's program."""
