"""SageMaker's built-in algorithms: where their container images are, what they take and say, with the sources."""

from headrace.algorithms.algorithm import Algorithm, BuiltInAlgorithmError, Version
from headrace.algorithms.hyperparameters import Hyperparameter
from headrace.algorithms.reading import find_algorithm, find_by_uri

__all__ = ["Algorithm", "BuiltInAlgorithmError", "Hyperparameter", "Version", "find_algorithm", "find_by_uri"]
