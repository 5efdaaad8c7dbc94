"""Writing both parts' features and labels, some rows at a time."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from containers.shared.job.outputs import Outputs
from headrace.recordio.writing import write_rows

from . import contract, schema
from .encoding import Encoding, encode_sales
from .reading import BATCH_ROWS
from .sales import Mask, Sales
from .sharing import Part

# Which rows, where, and the files of their features and labels.
_KINDS: Final = (
    (False, contract.TRAIN_FOLDER, contract.TRAIN_FEATURES_FILE, contract.TRAIN_LABELS_FILE),
    (True, contract.TEST_FOLDER, contract.TEST_FEATURES_FILE, contract.TEST_LABELS_FILE),
)


def write_separate(
    root: Path, encoding: Encoding, sales: Sales, held_out: Mask, outputs: Outputs, parts: Sequence[Part]
) -> None:
    """Write features and labels in files of their own, for each part of the rows; files without a row are left out."""
    for part in parts:
        rows, chosen = sales.slice(part.start, part.stop), held_out[part.start : part.stop]
        kinds = [
            (is_test, outputs.add(root / folder / part.name(features)), outputs.add(root / folder / part.name(labels)))
            for is_test, folder, features, labels in _KINDS
            if (chosen == is_test).any()
        ]
        with ExitStack() as stack:
            files = [
                (is_test, stack.enter_context(features.open("wb")), stack.enter_context(labels.open("wb")))
                for is_test, features, labels in kinds
            ]
            for features, batch, some in _encode(encoding, rows, chosen):
                targets = pl.DataFrame({schema.TARGET: batch.target})
                for is_test, features_file, labels_file in files:
                    _write(features, some == is_test, features_file)
                    _write(targets, some == is_test, labels_file)


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
