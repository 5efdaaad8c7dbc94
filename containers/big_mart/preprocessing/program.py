"""The preprocessing steps in their order: read, split, fit, encode, write."""

import csv
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from containers.shared.job.arguments import ArgumentParser, parse_count, parse_ratio, parse_seed
from containers.shared.job.events import log_event
from containers.shared.job.hosts import HOSTS_VARIABLE, read_addresses
from containers.shared.job.inputs import JobInputs, list_csv_files
from containers.shared.job.outputs import Outputs
from containers.shared.job.resources import read_resources
from headrace.drift.profiles import dump_profile, make_profile
from headrace.provenance import INPUTS_FILE, PROFILE_FILE

from . import contract
from .encoding import Encoding, dump_encoding
from .exchange import Exchange, PartingError, meet
from .failures import ArgumentError, PreprocessingError, SalesError
from .fitting import fit_encoding
from .labels import dump_bins, find_bins, fit_edges, parse_bins
from .mistakes import check_rows
from .profiling import draw_rows
from .reading import find_files, read_files
from .sales import Mask, Sales
from .sharing import RawFiles, gather_files, gather_inputs
from .splitting import choose_held_out_rows
from .writing import write_label_first, write_records, write_separate


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says."""

    ratio: float
    seed: int
    layout: str = contract.SEPARATE_LAYOUT
    bins: int = contract.NO_BINS
    train_files: int = 1


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
    parser.add_argument(
        contract.LAYOUT_ARGUMENT,
        choices=[contract.SEPARATE_LAYOUT, contract.LABEL_FIRST_LAYOUT, contract.RECORDIO_LAYOUT],
        default=contract.SEPARATE_LAYOUT,
        help="features and labels in files of their own, in one with the label first, or in one of RecordIO-protobuf "
        "(default: %(default)s)",
    )
    parser.add_argument(
        contract.BINS_ARGUMENT,
        default=str(contract.NO_BINS),
        help="in one file: into how many equal ranges the sales are put; 0 for none (default: %(default)s)",
    )
    parser.add_argument(
        contract.TRAIN_FILES_ARGUMENT,
        default="1",
        help="with the label first: how many files the training rows are dealt out to (default: %(default)s)",
    )
    parsed = parser.parse_args(arguments)
    options = Options(
        ratio=parse_ratio(contract.SPLIT_RATIO_ARGUMENT, parsed.ratio, ArgumentError),
        seed=parse_seed(contract.SEED_ARGUMENT, parsed.seed, ArgumentError),
        layout=parsed.layout,
        bins=parse_bins(parsed.bins),
        train_files=parse_count(
            contract.TRAIN_FILES_ARGUMENT, parsed.train_files, contract.MOST_TRAIN_FILES, ArgumentError
        ),
    )
    check_layout(options)
    return options


def check_layout(options: Options) -> None:
    """Refuse what only rows with the label first have."""
    if options.bins and options.layout == contract.SEPARATE_LAYOUT:
        raise ArgumentError(
            f"{contract.BINS_ARGUMENT}: {options.bins}, but {contract.LAYOUT_ARGUMENT} {options.layout} has no ranges; "
            f"add {contract.LAYOUT_ARGUMENT} {contract.LABEL_FIRST_LAYOUT}"
        )
    if options.train_files > 1 and options.layout != contract.LABEL_FIRST_LAYOUT:
        raise ArgumentError(
            f"{contract.TRAIN_FILES_ARGUMENT}: {options.train_files}, but {contract.LAYOUT_ARGUMENT} {options.layout} "
            f"writes one; add {contract.LAYOUT_ARGUMENT} {contract.LABEL_FIRST_LAYOUT}"
        )


def preprocess(root: Path, options: Options, outputs: Outputs, environment: Mapping[str, str] = os.environ) -> None:
    """Write features, labels and encoding of the sales in the input folder, and which files and rows they come from.

    Of several instances each writes the features and labels of its own files, and the first one everything else.
    """
    resources = read_resources(root)
    if len(resources.hosts) > 1 and options.layout != contract.SEPARATE_LAYOUT:
        raise ArgumentError(
            f"{contract.LAYOUT_ARGUMENT}: {options.layout}, but only {contract.SEPARATE_LAYOUT} is written by several "
            "instances; set the job's instance count to 1"
        )
    addresses = read_addresses(environment.get(HOSTS_VARIABLE, ""))
    try:
        with meet(resources.hosts, resources.host, addresses, PreprocessingError) as exchange:
            preprocess_together(root, options, outputs, exchange)
    except PartingError as error:
        raise PreprocessingError(str(error)) from error


def preprocess_together(root: Path, options: Options, outputs: Outputs, exchange: Exchange) -> None:
    """Do an instance's part of the work."""
    folder = root / contract.INPUT_FOLDER
    paths = find_files(folder) if exchange.is_alone else list_csv_files(folder)
    inputs = JobInputs()
    inputs.add_files(contract.RAW_CHANNEL, folder, *paths)
    own_files, sales = read_files(folder, paths)
    files = gather_files(own_files, exchange)
    sales = replace(sales, columns=files.columns)
    every_held_out = choose_held_out_rows(files.rows, ratio=options.ratio, seed=options.seed)
    log_event("rows_read", rows=files.rows)
    tested = int(every_held_out.sum())
    log_event("rows_split", train=files.rows - tested, test=tested, seed=options.seed)
    log_empty_cells(sales)

    held_out = files.take_own(every_held_out)
    encoding = fit_encoding(sales, ~held_out, exchange.gather)
    with outputs:
        if options.layout == contract.SEPARATE_LAYOUT:
            write_separate(root, encoding, sales, held_out, outputs, files.list_parts())
        else:
            write_labelled(root, options, encoding, sales, held_out, outputs)
        describe(root, encoding, gather_inputs(inputs, exchange), files, exchange, outputs)
        # Only what all have written is worth publishing.
        exchange.gather(None)
    log_event("preprocessing_end", features=len(encoding.features))


def write_labelled(
    root: Path, options: Options, encoding: Encoding, sales: Sales, held_out: Mask, outputs: Outputs
) -> None:
    """Write features and labels in one file."""
    labels = label_rows(sales, ~held_out, options.bins, root / contract.ENCODING_FOLDER, outputs)
    check_train_files(options.train_files, int((~held_out).sum()))
    if options.layout == contract.RECORDIO_LAYOUT:
        write_records(root, encoding, sales, held_out, outputs, labels)
    else:
        write_label_first(root, encoding, sales, held_out, outputs, labels, files=options.train_files)


def describe(
    root: Path, encoding: Encoding, inputs: JobInputs, files: RawFiles, exchange: Exchange, outputs: Outputs
) -> None:
    """Write the encoding, which files were read, and what their rows look like."""
    folder, beside = root / contract.INPUT_FOLDER, root / contract.ENCODING_FOLDER
    drawn = {name: draw(folder / name, name, files) for name in files.own}
    rows = {name: some for found in exchange.gather(drawn) for name, some in found.items()}
    if not exchange.is_first:
        return
    outputs.add(beside / contract.ENCODING_FILE).write_text(dump_encoding(encoding), encoding="utf-8")
    outputs.add(beside / INPUTS_FILE).write_bytes(inputs.dump())
    profile = make_profile(files.columns, (row for file in files.files for row in rows[file.name]))
    outputs.add(beside / PROFILE_FILE).write_text(dump_profile(profile), encoding="utf-8")


def draw(path: Path, name: str, files: RawFiles) -> list[Sequence[str]]:
    """The cells of some rows of a file."""
    try:
        return list(draw_rows(path, files.columns, files.rows))
    except csv.Error as error:
        # Polars reads a carriage return within a cell, and cells of any length; other readers of the file do not.
        check_rows(path, name)
        raise SalesError(f"{name}: not readable as CSV: {error}; check the quotes") from error


def check_train_files(files: int, rows: int) -> None:
    """Refuse files that would have no row."""
    if files > rows:
        raise ArgumentError(f"{contract.TRAIN_FILES_ARGUMENT}: {files}, but there are {rows} training rows; give fewer")


def label_rows(sales: Sales, training: Mask, bins: int, beside: Path, outputs: Outputs) -> NDArray[Any]:
    """The label of each row: its sales, or the number of the range that they are in."""
    if bins == contract.NO_BINS:
        return sales.target
    edges = fit_edges(sales.target, training, bins)
    labels = find_bins(sales.target, edges)
    described = dump_bins(edges, labels[training])
    outputs.add(beside / contract.BINS_FILE).write_text(described, encoding="utf-8")
    log_event("rows_binned", bins=bins, described=described.strip())
    return labels


def log_empty_cells(sales: Sales) -> None:
    """Say how many cells of each column had to be filled."""
    for column, numbers in sales.numbers.items():
        log_event("cells_filled", column=column, cells=int(np.isnan(numbers).sum()))
    for column, category in sales.categories.items():
        log_event("cells_filled", column=column, cells=int((category.codes < 0).sum()))
