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


def parse_seed(name: str, text: str, highest: int) -> int:
    """The seed of a job.

    Args:
        name: The hyperparameter's name.
        text: Its value.
        highest: The highest that there may be.

    Raises:
        HyperparameterError: If it is not a whole number up to that.
    """
    digits = text.isascii() and text.isdecimal() and len(text) <= len(str(highest))
    if not digits or int(text) > highest:
        raise HyperparameterError(f"hyperparameter {name}: {text!r} is not a whole number from 0 to {highest}")
    return int(text)
