"""Refusing a job that cannot fit into memory, before hours are spent on it."""

from collections.abc import Sequence
from pathlib import Path

from containers.shared.job.training_failures import JobError

from .hyperparameters import Hyperparameters

# Text becomes less than half its size in numbers, of which there are two copies for a moment.
BYTES_PER_TEXT_BYTE = 1.2
# A tree is grown from this part of the rows on average: drawing with replacement misses the others.
DRAWN_PART = 0.632
# Measured: scikit-learn's node, the Python objects it becomes on its way into the model file, and those of the check.
BYTES_PER_NODE = 1400
# Each thread's draw, order and weights while it grows a tree.
BYTES_PER_ROW_AND_THREAD = 48


def check_reading(folders: Sequence[Path], free: int | None) -> None:
    """Refuse channels whose files are too large to be read into memory."""
    size = sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())
    names = " and ".join(folder.name for folder in folders)
    check_room(int(size * BYTES_PER_TEXT_BYTE), free, f"reading channels {names}", "or use fewer rows")


def check_fitting(rows: int, hyperparameters: Hyperparameters, threads: int, free: int | None) -> None:
    """Refuse a forest that is too large to be grown and exported beside its data."""
    nodes = estimate_nodes(rows, hyperparameters)
    needed = nodes * BYTES_PER_NODE + rows * threads * BYTES_PER_ROW_AND_THREAD
    purpose = f"growing {hyperparameters.n_estimators} trees of about {nodes} nodes in all from {rows} rows"
    check_room(needed, free, purpose, "raise min_samples_leaf, or lower max_depth or n_estimators")


def estimate_nodes(rows: int, hyperparameters: Hyperparameters) -> int:
    """About the most nodes that the forest can have."""
    leaves = max(1, int(rows * DRAWN_PART / hyperparameters.min_samples_leaf))
    if hyperparameters.max_depth is not None:
        leaves = min(leaves, 2 ** min(hyperparameters.max_depth, 62))
    return hyperparameters.n_estimators * (2 * leaves - 1)


def check_room(needed: int, free: int | None, purpose: str, remedy: str) -> None:
    """Raise when more is needed than is known to be free."""
    if free is not None and needed > free:
        raise JobError(
            f"{purpose} needs about {needed / 2**30:.1f} GiB of memory, but {free / 2**30:.1f} GiB are free; "
            f"choose an instance type with more memory, {remedy}"
        )
