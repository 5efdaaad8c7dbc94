"""Writing both parts' features and labels, some rows at a time."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from containers.shared.job.outputs import Outputs
from headrace.recordio.writing import write_rows

from . import contract, schema
from .encoding import Encoding, encode_sales
from .reading import BATCH_ROWS
from .sales import Mask, Sales


def write_separate(root: Path, encoding: Encoding, sales: Sales, held_out: Mask, outputs: Outputs) -> None:
    """Write features and labels in files of their own."""
    train, test = root / contract.TRAIN_FOLDER, root / contract.TEST_FOLDER
    with ExitStack() as stack:
        train_features, train_labels, test_features, test_labels = (
            stack.enter_context(outputs.add(path).open("wb"))
            for path in (
                train / contract.TRAIN_FEATURES_FILE,
                train / contract.TRAIN_LABELS_FILE,
                test / contract.TEST_FEATURES_FILE,
                test / contract.TEST_LABELS_FILE,
            )
        )
        for features, batch, chosen in _encode(encoding, sales, held_out):
            labels = pl.DataFrame({schema.TARGET: batch.target})
            _write(features, ~chosen, train_features)
            _write(labels, ~chosen, train_labels)
            _write(features, chosen, test_features)
            _write(labels, chosen, test_labels)


def write_label_first(
    root: Path,
    encoding: Encoding,
    sales: Sales,
    held_out: Mask,
    outputs: Outputs,
    labels: NDArray[Any],
    *,
    files: int = 1,
) -> None:
    """Write the label of each row before its features; the training rows are dealt out to some files in turn."""
    train, test = root / contract.TRAIN_FOLDER, root / contract.TEST_FOLDER
    names = [contract.name_train_file(number, files) for number in range(1, files + 1)]
    with ExitStack() as stack:
        train_files = [stack.enter_context(outputs.add(train / name).open("wb")) for name in names]
        test_file = stack.enter_context(outputs.add(test / contract.TEST_FILE).open("wb"))
        dealt = 0
        for features, chosen, some in _encode_labelled(encoding, sales, held_out, labels):
            rows = features.insert_column(0, pl.Series(schema.TARGET, some))
            turns = np.cumsum(~chosen) - 1 + dealt
            dealt += int((~chosen).sum())
            for number, file in enumerate(train_files):
                _write(rows, ~chosen & (turns % files == number), file)
            _write(rows, chosen, test_file)


def write_records(
    root: Path, encoding: Encoding, sales: Sales, held_out: Mask, outputs: Outputs, labels: NDArray[Any]
) -> None:
    """Write the features and the label of each row as a record of RecordIO-protobuf."""
    train, test = root / contract.TRAIN_FOLDER, root / contract.TEST_FOLDER
    with (
        outputs.add(train / contract.TRAIN_RECORDS_FILE).open("wb") as train_file,
        outputs.add(test / contract.TEST_RECORDS_FILE).open("wb") as test_file,
    ):
        for features, chosen, some in _encode_labelled(encoding, sales, held_out, labels):
            rows = features.to_numpy(order="c")
            for file, part in ((train_file, ~chosen), (test_file, chosen)):
                write_rows(file, rows[part], some[part].astype(np.float32))


def _encode_labelled(
    encoding: Encoding, sales: Sales, held_out: Mask, labels: NDArray[Any]
) -> Iterator[tuple[pl.DataFrame, Mask, NDArray[Any]]]:
    """The features of some rows, which of them are held out, and their labels."""
    start = 0
    for features, _, chosen in _encode(encoding, sales, held_out):
        yield features, chosen, labels[start : start + len(chosen)]
        start += len(chosen)


def _encode(encoding: Encoding, sales: Sales, held_out: Mask) -> Iterator[tuple[pl.DataFrame, Sales, Mask]]:
    """The features of some rows, the rows, and which of them are held out."""
    for start in range(0, len(sales.target), BATCH_ROWS):
        batch = sales.slice(start, start + BATCH_ROWS)
        # float32 has the shortest text that reads back as the same number.
        yield pl.DataFrame(encode_sales(encoding, batch)), batch, held_out[start : start + BATCH_ROWS]


def _write(frame: pl.DataFrame, rows: Mask, file: IO[bytes]) -> None:
    frame.filter(rows).write_csv(file, include_header=False)
