"""What a run does around each workload's pipeline: its sample data, their delivery, the questions to its endpoint."""

from importlib import import_module

from headrace.recipes import Recipe, find_module
from headrace.workloads.workload import Workload

__all__ = ["find_workload"]


def find_workload(recipe: Recipe) -> type[Workload]:
    """What runs a workload on its own data."""
    run: type[Workload] = import_module(f"{__name__}.{find_module(recipe)}").Run
    return run
