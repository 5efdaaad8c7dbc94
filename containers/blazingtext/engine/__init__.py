"""Trains and serves word vectors and text classifiers as SageMaker's BlazingText does; it is not AWS's program."""
