"""The preprocessing steps in their order: read, split, fit, encode, write."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from containers.shared.job.arguments import ArgumentParser
from containers.shared.job.events import log_event
from containers.shared.job.inputs import JobInputs
from containers.shared.job.outputs import Outputs
from headrace.provenance import INPUTS_FILE

from . import contract, schema
from .encoding import Encoding, dump_encoding, encode_sales, fit_encoding
from .failures import ArgumentError
from .reading import BATCH_ROWS, find_files, read_folder
from .sales import Mask, Sales
from .splitting import choose_held_out_rows

# More than any generator of random numbers takes in, and fewer than Python reads.
LONGEST_SEED = 1000


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says."""

    ratio: float
    seed: int


def parse_options(arguments: Sequence[str]) -> Options:
    """The command line, checked."""
    parser = ArgumentParser(
        mistake=ArgumentError,
        prog="python -m containers.big_mart.preprocessing",
        description="Clean, split and encode Big Mart sales.",
    )
    parser.add_argument(
        contract.SPLIT_RATIO_ARGUMENT,
        dest="ratio",
        default=str(contract.DEFAULT_SPLIT_RATIO),
        help="part of the rows to hold out for testing, between 0 and 1 (default: %(default)s)",
    )
    parser.add_argument(
        contract.SEED_ARGUMENT,
        default=str(contract.DEFAULT_SEED),
        help="whole number that decides which rows are held out (default: %(default)s)",
    )
    parsed = parser.parse_args(arguments)
    return Options(ratio=parse_ratio(parsed.ratio), seed=parse_seed(parsed.seed))


def parse_ratio(text: str) -> float:
    """A ratio strictly between 0 and 1."""
    try:
        ratio = float(text)
    except ValueError:
        ratio = float("nan")
    if not 0 < ratio < 1:
        raise ArgumentError(f"{contract.SPLIT_RATIO_ARGUMENT}: {text!r} is not a number between 0 and 1, such as 0.1")
    return ratio


def parse_seed(text: str) -> int:
    """A whole number that is not negative."""
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_SEED):
        raise ArgumentError(f"{contract.SEED_ARGUMENT}: {text[:100]!r} is not a whole number from 0 on, such as 42")
    return int(text)


def preprocess(root: Path, options: Options, outputs: Outputs) -> None:
    """Write features, labels and the encoding of the sales under the root's input folder, and what files they are."""
    folder = root / contract.INPUT_FOLDER
    inputs = JobInputs()
    inputs.add_files(contract.RAW_CHANNEL, folder, *find_files(folder))
    sales = read_folder(folder)
    rows = len(sales.target)
    log_event("rows_read", rows=rows)
    held_out = choose_held_out_rows(rows, ratio=options.ratio, seed=options.seed)
    log_event("rows_split", train=rows - int(held_out.sum()), test=int(held_out.sum()), seed=options.seed)
    log_empty_cells(sales)

    encoding = fit_encoding(sales, ~held_out)
    with outputs:
        write_parts(root, encoding, sales, held_out, outputs)
        beside = root / contract.ENCODING_FOLDER
        outputs.add(beside / contract.ENCODING_FILE).write_text(dump_encoding(encoding), encoding="utf-8")
        outputs.add(beside / INPUTS_FILE).write_bytes(inputs.dump())
    log_event("preprocessing_end", features=len(encoding.features))


def log_empty_cells(sales: Sales) -> None:
    """Say how many cells of each column had to be filled."""
    for column, numbers in sales.numbers.items():
        log_event("cells_filled", column=column, cells=int(np.isnan(numbers).sum()))
    for column, category in sales.categories.items():
        log_event("cells_filled", column=column, cells=int((category.codes < 0).sum()))


def write_parts(root: Path, encoding: Encoding, sales: Sales, held_out: Mask, outputs: Outputs) -> None:
    """Encode the rows and write both parts' features and labels, some rows at a time."""
    train, test = root / contract.TRAIN_FOLDER, root / contract.TEST_FOLDER
    with (
        outputs.add(train / contract.TRAIN_FEATURES_FILE).open("wb") as train_features,
        outputs.add(train / contract.TRAIN_LABELS_FILE).open("wb") as train_labels,
        outputs.add(test / contract.TEST_FEATURES_FILE).open("wb") as test_features,
        outputs.add(test / contract.TEST_LABELS_FILE).open("wb") as test_labels,
    ):
        for start in range(0, len(sales.target), BATCH_ROWS):
            batch = sales.slice(start, start + BATCH_ROWS)
            chosen = held_out[start : start + BATCH_ROWS]
            # float32 has the shortest text that reads back as the same number.
            features = pl.DataFrame(encode_sales(encoding, batch))
            labels = pl.DataFrame({schema.TARGET: batch.target})
            for frame, rows, file in (
                (features, ~chosen, train_features),
                (labels, ~chosen, train_labels),
                (features, chosen, test_features),
                (labels, chosen, test_labels),
            ):
                frame.filter(rows).write_csv(file, include_header=False)
