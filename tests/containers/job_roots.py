"""Roots laid out like /opt/ml, with made-up sales in them."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from headrace.workloads.sales import COLUMNS, make_rows

ANY_ROW = {
    "Item_Identifier": "FDA01",
    "Item_Weight": "10",
    "Item_Fat_Content": "Low Fat",
    "Item_Visibility": "0.05",
    "Item_Type": "Dairy",
    "Item_MRP": "100",
    "Outlet_Identifier": "OUT049",
    "Outlet_Establishment_Year": "1999",
    "Outlet_Size": "Medium",
    "Outlet_Location_Type": "Tier 1",
    "Outlet_Type": "Supermarket Type1",
    "Item_Outlet_Sales": "1500",
}


def any_sales_row(**changes: str) -> dict[str, str]:
    """A row that is right, but for the changes."""
    return {**ANY_ROW, **changes}


def write_sales(
    root: Path, rows: Iterable[Mapping[str, str]], *, columns: Sequence[str] = COLUMNS, name: str = "sales.csv"
) -> Path:
    """Put a CSV file of sales where the preprocessing job looks for it."""
    path = root / "processing/input" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_text(root: Path, text: str | bytes, name: str = "sales.csv") -> None:
    """Put a file with exactly this content where the preprocessing job looks for it."""
    path = root / "processing/input" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)


def make_sales(rows: int, seed: int = 7) -> list[dict[str, str]]:
    """Made-up sales as dictionaries."""
    return [dict(zip(COLUMNS, row, strict=True)) for row in make_rows(rows, seed)]


def write_job(
    root: Path,
    hyperparameters: Mapping[str, str],
    channels: Mapping[str, Path],
    hosts: Sequence[str] = ("algo-1",),
    content_type: str | None = None,
) -> None:
    """Lay out a training job whose channels are these folders."""
    described = {"TrainingInputMode": "File", **({"ContentType": content_type} if content_type else {})}
    config = root / "input/config"
    config.mkdir(parents=True)
    (config / "hyperparameters.json").write_text(json.dumps(dict(hyperparameters)))
    (config / "inputdataconfig.json").write_text(json.dumps(dict.fromkeys(channels, described)))
    (config / "resourceconfig.json").write_text(json.dumps({"current_host": hosts[0], "hosts": list(hosts)}))
    data = root / "input/data"
    data.mkdir()
    for channel, folder in channels.items():
        (data / channel).symlink_to(folder)


def list_files(root: Path) -> set[str]:
    """Every file below the root, hidden ones too."""
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}
