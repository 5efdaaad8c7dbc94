"""The hyperparameters of a job that keeps the contract of a built-in algorithm, as its published table has them."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from containers.shared.job.events import warn_event
from containers.shared.job.training_failures import HyperparameterError
from containers.shared.job.training_hyperparameters import PLATFORM_PREFIXES
from headrace.algorithms.hyperparameters import Value
from headrace.algorithms.reading import find_algorithm


def check_hyperparameters(
    algorithm: str,
    texts: Mapping[str, str],
    list_own_mistakes: Callable[[Mapping[str, Any]], Iterable[str]] = lambda _given: (),
) -> dict[str, str]:
    """The job's own hyperparameters, refused as the published table says.

    Args:
        algorithm: The algorithm's name.
        texts: All that the job has.
        list_own_mistakes: What of those that the algorithm takes the program cannot do.
    """
    own = {name: text for name, text in texts.items() if not name.startswith(PLATFORM_PREFIXES)}
    for mistakes in (find_algorithm(algorithm).list_mistakes(own), list_own_mistakes(own)):
        if found := "; ".join(f"hyperparameter {mistake}" for mistake in mistakes):
            raise HyperparameterError(found)
    return own


def warn_ignored(given: Collection[str], unused: Collection[str], reason: str) -> None:
    """Name in the log which hyperparameters the algorithm has a use for and this program has not.

    Args:
        given: The names of the job's own.
        unused: The names of those without a use.
        reason: Why they have none, its words joined.
    """
    if ignored := sorted(set(given) & set(unused)):
        warn_event("hyperparameters_ignored", names=",".join(ignored), reason=reason)


def parse_hyperparameters(algorithm: str, texts: Mapping[str, str]) -> dict[str, Value]:
    """The values of hyperparameters that have been checked."""
    table = find_algorithm(algorithm).hyperparameters
    return {name: table[name].parse(text) for name, text in texts.items()}


def fill_hyperparameters(algorithm: str, given: Mapping[str, Value]) -> dict[str, Value]:
    """All hyperparameters that have a value, given or the algorithm's own."""
    table = find_algorithm(algorithm).hyperparameters
    own = {name: entry.parse(entry.default) for name, entry in table.items() if entry.default is not None}
    return {**own, **given}
