"""Roots of image training jobs, laid out like /opt/ml, over a folder of made-up photographs."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from containers.images.training.__main__ import main
from containers.shared.job.outputs import Outputs
from tests.containers.job_roots import write_job

CHANNELS = ("train", "train_lst", "validation", "validation_lst")
Row = tuple[object, object, object]


def format_rows(rows: Sequence[Row]) -> str:
    return "".join("\t".join(map(str, row)) + "\n" for row in rows)


def list_rows(photographs: Path, numbers: range) -> list[Row]:
    """Rows of the photographs of every class that have these places in the order of their names."""
    folders = sorted(folder for folder in photographs.iterdir() if folder.is_dir())
    return [
        (1000 * number + place, number, sorted(folder.iterdir())[place].relative_to(photographs).as_posix())
        for number, folder in enumerate(folders)
        for place in numbers
    ]


def write_image_job(
    root: Path,
    photographs: Path,
    *,
    train: Sequence[Row] | str,
    validation: Sequence[Row] | str,
    hyperparameters: Mapping[str, str] | None = None,
    channels: Sequence[str] = CHANNELS,
    labels: str | None = None,
) -> None:
    """Lay out a job that has these rows, or texts, as its lists."""
    folders = {"train": photographs, "validation": photographs}
    for channel, rows in (("train_lst", train), ("validation_lst", validation)):
        folders[channel] = root / "lists" / channel
        folders[channel].mkdir(parents=True)
        text = rows if isinstance(rows, str) else format_rows(rows)
        (folders[channel] / f"{channel.removesuffix('_lst')}.lst").write_text(text, "utf-8", newline="")
    if labels is not None:
        (folders["train_lst"] / "classes.txt").write_text(labels, "utf-8")
    write_job(root, hyperparameters or {}, {channel: folders[channel] for channel in channels})


def write_small_job(root: Path, photographs: Path, channels: Sequence[str] = CHANNELS, **hyperparameters: str) -> None:
    """Lay out a job that learns from three photographs of each class and is judged by two."""
    write_image_job(
        root,
        photographs,
        train=list_rows(photographs, range(3)),
        validation=list_rows(photographs, range(3, 5)),
        hyperparameters=hyperparameters,
        channels=channels,
    )


def read_evaluation(root: Path) -> Any:
    """The evaluation that a job has written."""
    return json.loads((root / "output/data/evaluation.json").read_text())


def run(root: Path, *arguments: str, **environment: str) -> int:
    return main(arguments or ["train"], root, environment, Outputs())


def fail(root: Path, *arguments: str, **environment: str) -> str:
    """The message of a run that is the user's mistake."""
    assert run(root, *arguments, **environment) == 1
    assert not (root / "model").exists()
    return (root / "output/failure").read_text()


def train_on_photographs(root: Path, photographs: Path) -> None:
    """Run a job that holds out the last three photographs of each class, whose folders name the classes."""
    labels = "\n".join(sorted(folder.name for folder in photographs.iterdir()))
    count = len(list(next(photographs.iterdir()).iterdir()))
    write_image_job(
        root,
        photographs,
        train=list_rows(photographs, range(count - 3)),
        validation=list_rows(photographs, range(count - 3, count)),
        labels=labels,
    )
    assert run(root) == 0
