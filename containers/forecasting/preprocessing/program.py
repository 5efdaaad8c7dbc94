"""The preprocessing steps in their order: read, check, hold the last days out, write."""

import json
from collections.abc import Sequence
from pathlib import Path

from containers.shared.job.arguments import ArgumentParser
from containers.shared.job.events import log_event
from containers.shared.job.inputs import JobInputs, find_csv_files
from containers.shared.job.outputs import Outputs
from headrace.demand.json_lines import dump_instances, find_cut, list_instances, number_categories
from headrace.demand.reading import DemandError, Series, read_demand
from headrace.provenance import INPUTS_FILE

from . import contract


def parse_options(arguments: Sequence[str]) -> int:
    """How many days are held out."""
    parser = ArgumentParser(
        mistake=DemandError,
        prog="python -m containers.forecasting.preprocessing",
        description="Check daily demand and write it as series.",
    )
    parser.add_argument(
        contract.PREDICTION_LENGTH_ARGUMENT,
        dest="days",
        default=str(contract.DEFAULT_PREDICTION_LENGTH),
        help="how many days are forecast, and held out for the test (default: %(default)s)",
    )
    text = parser.parse_args(arguments).days
    most = contract.MOST_PREDICTION_LENGTH
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and 1 <= int(text) <= most):
        raise DemandError(
            f"{contract.PREDICTION_LENGTH_ARGUMENT}: {text[:100]!r} is not a whole number from 1 to {most}"
        )
    return int(text)


def preprocess(root: Path, days: int, outputs: Outputs) -> None:
    """Write the series of the input folder: without the last days to train on, and with them to test on."""
    folder = root / contract.INPUT_FOLDER
    paths = find_csv_files(folder, DemandError)
    inputs = JobInputs()
    inputs.add_files(contract.RAW_CHANNEL, folder, *paths)
    series = read_files(folder, paths)
    cut = find_cut(series, days)
    train = list(list_instances(series, end=cut))
    if not train:
        raise DemandError(
            f"no series has a day before {cut}, the first of the {days} days that are held out; "
            f"give more history, or a smaller {contract.PREDICTION_LENGTH_ARGUMENT}"
        )
    last = max(one.end for one in series)
    # Numbers of stores and items are those of all series, wherever one is left out.
    test = [
        instance
        for one, instance in zip(series, list_instances(series), strict=True)
        if one.end == last and one.start < cut
    ]
    if not test:
        raise DemandError(f"no series that ends on {last} begins before {cut}; give more history")
    stores, items = number_categories(series)
    log_event("series_read", series=len(series), days=sum(len(one.sales) for one in series))
    log_event("days_held_out", first=cut, days=days, train=len(train), test=len(test))
    with outputs:
        outputs.add(root / contract.TRAIN_FOLDER / contract.TRAIN_FILE).write_text(dump_instances(train), "utf-8")
        outputs.add(root / contract.TEST_FOLDER / contract.TEST_FILE).write_text(dump_instances(test), "utf-8")
        beside = root / contract.CATEGORIES_FOLDER
        categories = json.dumps({"store": stores, "item": items}, ensure_ascii=False, indent=1)
        outputs.add(beside / contract.CATEGORIES_FILE).write_text(f"{categories}\n", "utf-8")
        outputs.add(beside / INPUTS_FILE).write_bytes(inputs.dump())
    log_event("preprocessing_end", stores=len(stores), items=len(items))


def read_files(folder: Path, paths: Sequence[Path]) -> list[Series]:
    """The series of all files, each of which is in one file only."""
    found: dict[tuple[str, str], str] = {}
    series: list[Series] = []
    for path in paths:
        name = path.relative_to(folder).as_posix()
        for one in read_demand(path, name):
            if (other := found.setdefault((one.store, one.item), name)) != name:
                raise DemandError(
                    f"{name}: item {one.item} in store {one.store} is in {other} as well; keep a series in one file"
                )
            series.append(one)
    return series
