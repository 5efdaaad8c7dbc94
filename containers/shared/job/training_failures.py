"""Mistakes in a training job that a user can correct."""


class TrainingError(Exception):
    """A mistake in the job or its data; its message says what, where and what to do."""


class JobError(TrainingError):
    """A job whose arguments, configuration or resources cannot be used."""


class HyperparameterError(TrainingError):
    """A hyperparameter that is unknown or out of its range."""


class TrainingDataError(TrainingError):
    """A channel that is missing, empty or holds data that cannot be used."""
