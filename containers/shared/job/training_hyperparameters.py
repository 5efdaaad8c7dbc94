"""Reading hyperparameters, all of which SageMaker passes as text."""

from collections.abc import Collection, Mapping

from containers.shared.job.training_failures import HyperparameterError

# SageMaker's tuning jobs and SDKs add keys of their own to the job's.
PLATFORM_PREFIXES = ("_tuning", "sagemaker_")
HIGHEST = 2**31 - 1


def select_own(texts: Mapping[str, str], known: Collection[str]) -> dict[str, str]:
    """The job's own hyperparameters, refused if there is one that is not known."""
    own = {name: text for name, text in texts.items() if not name.startswith(PLATFORM_PREFIXES)}
    unknown = sorted(set(own) - set(known))
    if unknown:
        raise HyperparameterError(f"unknown hyperparameter {', '.join(unknown)}; known are {', '.join(known)}")
    return own


def parse_whole(name: str, text: str, *, lowest: int = 0) -> int:
    """A whole number from `lowest` to the largest that seeds and sizes may have."""
    if not (is_whole(text) and lowest <= int(text) <= HIGHEST):
        raise HyperparameterError(f"hyperparameter {name}: {text!r} is not a whole number from {lowest} to {HIGHEST}")
    return int(text)


def is_whole(text: str) -> bool:
    """Whether a text is digits alone, and few enough to be looked at as a number."""
    return text.isascii() and text.isdecimal() and len(text) <= len(str(HIGHEST))
