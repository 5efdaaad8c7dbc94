"""The hyperparameters that networks have in common, with the names of the built-in algorithms."""

from collections.abc import Callable, Iterable, Mapping, Sized
from dataclasses import asdict
from typing import Any, Final

from containers.shared.job.algorithm_hyperparameters import warn_ignored
from containers.shared.job.events import log_event, warn_event
from containers.shared.job.training_failures import HyperparameterError
from containers.shared.job.training_hyperparameters import PLATFORM_PREFIXES, parse_seed
from headrace.algorithms.reading import find_algorithm

HIGHEST_SEED: Final = 2**31 - 1
# The algorithms have a use for them, and no model differs by them.
_UNUSED: Final = ("checkpoint_frequency", "kv_store", "label_width")


def read_values(
    algorithm: str,
    texts: Mapping[str, str],
    seed_name: str,
    list_own_mistakes: Callable[[Mapping[str, Any]], Iterable[str]],
) -> dict[str, Any]:
    """All values of the algorithm's published table, with its defaults, and the seed.

    Args:
        algorithm: The algorithm.
        texts: The job's hyperparameters.
        seed_name: What decides instead of chance, which the algorithm does not have.
        list_own_mistakes: What of the algorithm's hyperparameters the program cannot do.

    Raises:
        HyperparameterError: Naming the first one that cannot be used.
    """
    given = {name: text for name, text in texts.items() if not name.startswith(PLATFORM_PREFIXES)}
    seed = parse_seed(seed_name, given.pop(seed_name, "0"), HIGHEST_SEED)
    for mistakes in (find_algorithm(algorithm).list_mistakes(given), list_own_mistakes(given)):
        for mistake in mistakes:
            raise HyperparameterError(f"hyperparameter {mistake}")
    warn_ignored(
        given, _UNUSED, "instances_average_at_each_step,_checkpoints_follow_the_clock,_and_labels_say_how_many"
    )
    table = find_algorithm(algorithm).hyperparameters
    values = {
        name: hyperparameter.parse(given[name]) if name in given else hyperparameter.default
        for name, hyperparameter in table.items()
    }
    return {**values, seed_name: seed}


def read_steps(values: Mapping[str, Any]) -> tuple[int, ...]:
    """The epochs at which the learning rate falls, in order."""
    return tuple(sorted({int(step) for step in str(values["lr_scheduler_step"] or "").split(",") if step.strip()}))


def describe_hyperparameters(hyperparameters: Any) -> dict[str, object]:
    """The hyperparameters of a dataclass as data, by name."""
    return {**asdict(hyperparameters), "lr_scheduler_steps": list(hyperparameters.lr_scheduler_steps)}


def report_read(training: Sized, validation: Sized, hyperparameters: Any) -> None:
    """Say how many photographs there are, and where `num_training_samples` is another number."""
    found, announced = len(training), hyperparameters.num_training_samples
    log_event("data_read", train=found, validation=len(validation), classes=hyperparameters.num_classes)
    if found != announced:
        note = repr("this program counts them itself")
        warn_event("num_training_samples_differs", given=announced, found=found, note=note)
