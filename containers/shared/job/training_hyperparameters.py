"""Telling a training job's own hyperparameters from others."""

from collections.abc import Collection, Mapping

from containers.shared.job.training_failures import HyperparameterError

# SageMaker's tuning jobs and SDKs add their own keys to the job's.
PLATFORM_PREFIXES = ("_tuning", "sagemaker_")


def select_own(texts: Mapping[str, str], known: Collection[str]) -> dict[str, str]:
    """The job's own hyperparameters, refused if there is one that is not known."""
    own = {name: text for name, text in texts.items() if not name.startswith(PLATFORM_PREFIXES)}
    unknown = sorted(set(own) - set(known))
    if unknown:
        raise HyperparameterError(f"unknown hyperparameter {', '.join(unknown)}; known are {', '.join(known)}")
    return own
