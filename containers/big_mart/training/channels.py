"""Reading the job's channels: features, labels and the encoding."""

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from containers.shared.job.inputs import JobInputs
from containers.shared.job.training_channels import list_files
from containers.shared.job.training_failures import TrainingDataError
from headrace.provenance import INPUTS_FILE, PROFILE_FILE, ProvenanceError, read_inputs

from . import contract

ENCODING_FORMAT = "headrace-encoding"
ENCODING_VERSION = 1


@dataclass(frozen=True)
class Dataset:
    """Features, one row per example, and the label of each row."""

    features: NDArray[np.float32]
    labels: NDArray[np.float64]


@dataclass(frozen=True)
class EncodingFile:
    """The encoding's bytes, which go beside the model unchanged, and the number of its features."""

    content: bytes
    width: int


def read_encoding(folder: Path) -> EncodingFile:
    """The fitted encoding of the preprocessing job."""
    path = folder / contract.ENCODING_FILE
    if not path.is_file():
        raise TrainingDataError(
            f"channel {folder.name!r} has no {contract.ENCODING_FILE}; it has {list_files(folder)}; "
            "point it at the encoding output of the preprocessing job"
        )
    content = path.read_bytes()
    try:
        document = json.loads(content)
        found = (document["format"], document["version"])
        width = len(document["features"])
    except (ValueError, KeyError, TypeError) as error:
        raise TrainingDataError(f"channel {folder.name!r}, {path.name}: not an encoding ({error!r})") from error
    if found != (ENCODING_FORMAT, ENCODING_VERSION):
        raise TrainingDataError(
            f"channel {folder.name!r}, {path.name}: format {found[0]!r} version {found[1]!r}, but this program reads "
            f"{ENCODING_FORMAT!r} version {ENCODING_VERSION}; preprocess again with the same release"
        )
    return EncodingFile(content, width)


def record_inputs(encoding: Path, folders: Iterable[Path]) -> bytes:
    """What the model is made from, as `inputs.json`: what the preprocessing job says it has read, or else the channels.

    Args:
        encoding: The encoding's channel.
        folders: The channels of features and labels.
    """
    given = encoding / INPUTS_FILE
    if given.is_file():
        content = given.read_bytes()
        try:
            read_inputs(content)
        except ProvenanceError as error:
            raise TrainingDataError(f"channel {encoding.name!r}, {error}; preprocess again") from error
        return content
    inputs = JobInputs()
    inputs.add_files(encoding.name, encoding, encoding / contract.ENCODING_FILE)
    for folder in folders:
        for suffix in (contract.FEATURES_SUFFIX, contract.LABELS_SUFFIX):
            inputs.add_files(folder.name, folder, *folder.rglob(f"*{suffix}"))
    return inputs.dump()


def read_profile(encoding: Path) -> bytes | None:
    """What the preprocessing job says that its rows look like, which goes into the record unchanged; None for nothing.

    Args:
        encoding: The encoding's channel.
    """
    given = encoding / PROFILE_FILE
    return given.read_bytes() if given.is_file() else None


def read_dataset(folder: Path, width: int) -> Dataset:
    """The channel's features and labels, in the order of the files' paths."""
    paths = sorted(folder.rglob(f"*{contract.FEATURES_SUFFIX}"))
    if not paths:
        raise TrainingDataError(
            f"channel {folder.name!r} has no file named *{contract.FEATURES_SUFFIX}; it has {list_files(folder)}; "
            "point it at an output of the preprocessing job"
        )
    pairs = [read_pair(folder, path, width) for path in paths]
    return Dataset(np.concatenate([pair.features for pair in pairs]), np.concatenate([pair.labels for pair in pairs]))


def read_pair(folder: Path, features_path: Path, width: int) -> Dataset:
    """One file of features with the labels beside it."""
    labels_path = features_path.with_name(
        features_path.name.removesuffix(contract.FEATURES_SUFFIX) + contract.LABELS_SUFFIX
    )
    if not labels_path.is_file():
        raise TrainingDataError(
            f"channel {folder.name!r} has {features_path.name} but no {labels_path.name} beside it; "
            "copy both outputs of the preprocessing job"
        )
    features = read_numbers(features_path, channel=folder.name, width=width, dtype=pl.Float32)
    labels = read_numbers(labels_path, channel=folder.name, width=1, dtype=pl.Float64)
    if len(features) != len(labels):
        raise TrainingDataError(
            f"channel {folder.name!r}: {features_path.name} has {len(features)} rows, but {labels_path.name} has "
            f"{len(labels)}; use the two files of one preprocessing run"
        )
    return Dataset(features.to_numpy(order="c"), labels.to_series().to_numpy())


def read_numbers(path: Path, *, channel: str, width: int, dtype: type[pl.DataType]) -> pl.DataFrame:
    """A CSV file without header that holds nothing but finite numbers."""
    name = f"channel {channel!r}, {path.name}"
    if not path.stat().st_size:
        raise TrainingDataError(f"{name}: the file is empty; check the job that wrote it")
    try:
        frame = pl.read_csv(path, has_header=False, schema={f"column {i + 1}": dtype for i in range(width)})
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        reason = find_mistake(path, width) or f"not readable as CSV: {str(error).splitlines()[0]}"
        raise TrainingDataError(f"{name}{reason}") from error
    if not all(frame.select(pl.all().is_finite().fill_null(value=False).all()).row(0)):
        raise TrainingDataError(f"{name}{find_mistake(path, width) or ': a number is not finite'}")
    return frame


def find_mistake(path: Path, width: int) -> str | None:
    """Where and how the file differs from rows of `width` finite numbers."""
    with path.open(encoding="utf-8", errors="backslashreplace") as lines:
        return next(find_mistakes(lines, width), None)


def find_mistakes(lines: Iterable[str], width: int) -> Iterator[str]:
    """Every mistake, in order; rows of numbers need no quotes, so a row is a line."""
    for line, text in enumerate(lines, start=1):
        cells = text.rstrip("\n").split(",")
        if len(cells) != width:
            reason = f"expected {width} numbers, found {len(cells)}"
            yield f", line {line}: {reason}; features are those of encoding.json, and a row has one label"
            continue
        for column, cell in enumerate(cells, start=1):
            if not is_finite_number(cell):
                yield f", line {line}, column {column}: expected a finite number, found {cell!r}; files have no header"


def is_finite_number(cell: str) -> bool:
    """True for text that reads as a finite number."""
    try:
        return math.isfinite(float(cell))
    except ValueError:
        return False
