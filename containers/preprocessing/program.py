"""The preprocessing steps in their order: read, split, fit, encode, write."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import numpy as np
import polars as pl

from . import contract, schema
from .encoding import Features, dump_encoding, encode_sales, fit_encoding
from .events import log_event
from .failures import ArgumentError
from .outputs import Outputs
from .reading import read_folder
from .sales import Mask, Numbers, Sales
from .splitting import choose_held_out_rows


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says."""

    ratio: float
    seed: int


class Parser(argparse.ArgumentParser):
    """A parser whose mistakes are reported like all others."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of ending the process."""
        raise ArgumentError(f"{message}; see --help")


def parse_options(arguments: Sequence[str]) -> Options:
    """The command line, checked."""
    parser = Parser(prog="python -m preprocessing", description="Clean, split and encode Big Mart sales.")
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
    if not (text.isascii() and text.isdecimal()):
        raise ArgumentError(f"{contract.SEED_ARGUMENT}: {text!r} is not a whole number from 0 on, such as 42")
    return int(text)


def preprocess(root: Path, options: Options, outputs: Outputs) -> None:
    """Write features, labels and the encoding of the sales under the root's input folder."""
    sales = read_folder(root / contract.INPUT_FOLDER)
    rows = len(sales.target)
    log_event("rows_read", rows=rows)
    held_out = choose_held_out_rows(rows, ratio=options.ratio, seed=options.seed)
    log_event("rows_split", train=rows - int(held_out.sum()), test=int(held_out.sum()), seed=options.seed)
    log_empty_cells(sales)

    encoding = fit_encoding(sales, ~held_out)
    features = encode_sales(encoding, sales)
    with outputs:
        train, test = root / contract.TRAIN_FOLDER, root / contract.TEST_FOLDER
        write_features(outputs.add(train / contract.TRAIN_FEATURES_FILE), features, ~held_out)
        write_labels(outputs.add(train / contract.TRAIN_LABELS_FILE), sales.target, ~held_out)
        write_features(outputs.add(test / contract.TEST_FEATURES_FILE), features, held_out)
        write_labels(outputs.add(test / contract.TEST_LABELS_FILE), sales.target, held_out)
        encoding_file = root / contract.ENCODING_FOLDER / contract.ENCODING_FILE
        outputs.add(encoding_file).write_text(dump_encoding(encoding), encoding="utf-8")
    log_event("preprocessing_end", features=len(features))


def log_empty_cells(sales: Sales) -> None:
    """Say how many cells of each column had to be filled."""
    for column, numbers in sales.numbers.items():
        log_event("cells_filled", column=column, cells=int(np.isnan(numbers).sum()))
    for column, category in sales.categories.items():
        log_event("cells_filled", column=column, cells=int((category.codes < 0).sum()))


def write_features(path: Path, features: Features, rows: Mask) -> None:
    """Write the chosen rows' features without a header."""
    # float32 has the shortest text that reads back as the same number.
    pl.DataFrame(features).filter(rows).write_csv(path, include_header=False)


def write_labels(path: Path, target: Numbers, rows: Mask) -> None:
    """Write the chosen rows' target without a header."""
    pl.DataFrame({schema.TARGET: target[rows]}).write_csv(path, include_header=False)
