# /// script
# requires-python = ">=3.11"
# dependencies = ["headrace", "numpy==2.4.6", "pandas==3.1.1", "polars==2.1.0", "scikit-learn==1.9.1"]
# [tool.uv.sources]
# headrace = { path = "..", editable = true }
# ///
"""The preprocessing program beside the book's pandas steps, on as many made-up sales as `--rows` says.

The book's steps run as they are, but for three repairs without which they do not run on pandas 3 or cannot be compared:
text columns are cast to object, each column has its own encoder, and a missing weight gets its own mean
type, as the book's text says. Two differences remain: its statistics are those of all rows, where ours are those of the
training part, and its split permutes the rows, where ours keeps their order.
"""

import argparse
import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from harness import Case, Side, main

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

ROWS_VARIABLE = "BENCH_ROWS"
DEFAULT_ROWS = 1_000_000
# Made once per size and read by every process; the rows repeat, as fresh ones would take minutes to make.
DATA = Path(tempfile.gettempdir()) / "headrace-bench-preprocessing"
RATIO, SEED = 0.1, 42
CHECKED_ROWS = 8523
SIZES = {
    "Grocery Store": "Small",
    "Supermarket Type1": "Small",
    "Supermarket Type2": "Medium",
    "Supermarket Type3": "Medium",
}


def prepare_root(rows: int | None = None) -> Path:
    """A root laid out like /opt/ml with the sales as its input."""
    root = DATA / str(rows or os.environ.get(ROWS_VARIABLE, DEFAULT_ROWS))
    sales = root / "processing/input/sales.csv"
    if not sales.exists():
        write_sales(sales, int(root.name))
    for part in ("train", "test", "encoding"):
        shutil.rmtree(root / "processing" / part, ignore_errors=True)
        (root / "processing" / part).mkdir()
    return root


def write_sales(path: Path, rows: int) -> None:
    from headrace.workloads.sales import COLUMNS, DEFAULT_ROWS, DEFAULT_SEED, make_rows

    distinct = [",".join(row) + "\n" for row in make_rows(DEFAULT_ROWS, DEFAULT_SEED)]
    path.parent.mkdir(parents=True)
    partial = path.with_suffix(".partial")
    with partial.open("w") as file:
        file.write(",".join(COLUMNS) + "\n")
        for start in range(0, rows, len(distinct)):
            file.writelines(distinct[: rows - start])
    partial.rename(path)


def run_ours(root: Path) -> None:
    from containers.big_mart.preprocessing.__main__ import main as preprocess
    from containers.shared.job.outputs import Outputs

    with contextlib.redirect_stdout(io.StringIO()):
        assert preprocess([], root, Outputs()) == 0


def run_book(root: Path) -> None:
    import pandas as pd
    from sklearn.model_selection import train_test_split
    from sklearn.preprocessing import StandardScaler

    frame, labels = clean_as_the_book(root / "processing/input/sales.csv")
    features = pd.DataFrame(StandardScaler().fit_transform(frame), columns=frame.columns)
    parts = train_test_split(features, labels, test_size=RATIO, random_state=SEED)
    for name, part in zip(("train_features", "test_features", "train_labels", "test_labels"), parts, strict=True):
        part.to_csv(root / f"processing/{name.split('_')[0]}/{name}.csv", header=False, index=False)


def clean_as_the_book(path: Path) -> tuple[Any, Any]:
    """The book's numbers for every row before they are standardised, and the labels."""
    import pandas as pd
    from sklearn.preprocessing import LabelEncoder

    frame = pd.read_csv(path)
    texts = [name for name in frame.columns if not pd.api.types.is_numeric_dtype(frame[name])]
    frame[texts] = frame[texts].astype(object)
    for kind, mean in frame.groupby("Item_Type")["Item_Weight"].mean().items():
        frame.loc[(frame["Item_Type"] == kind) & frame["Item_Weight"].isnull(), "Item_Weight"] = mean
    for outlet, size in SIZES.items():
        frame.loc[(frame["Outlet_Type"] == outlet) & frame["Outlet_Size"].isnull(), "Outlet_Size"] = size
    frame["Item_Fat_Content"] = frame["Item_Fat_Content"].replace(
        {"LF": "Low Fat", "low fat": "Low Fat", "reg": "Regular"}
    )
    labels = frame.pop("Item_Outlet_Sales")
    frame = frame.drop(columns="Item_Identifier")
    for name in texts[1:]:
        frame[name] = LabelEncoder().fit_transform(frame[name])
    return frame, labels


def check_outputs() -> None:
    """Fail unless both sides' numbers agree before standardising; weights that were filled do up to 5 %."""
    import numpy as np
    import pandas as pd

    from containers.big_mart.preprocessing.splitting import choose_held_out_rows

    root = prepare_root(CHECKED_ROWS)
    run_ours(root)
    encoding = json.loads((root / "processing/encoding/encoding.json").read_text())
    held_out = choose_held_out_rows(CHECKED_ROWS, ratio=RATIO, seed=SEED)
    ours = np.empty((CHECKED_ROWS, len(encoding["features"])))
    for part, rows in (("train", ~held_out), ("test", held_out)):
        ours[rows] = pd.read_csv(root / f"processing/{part}/{part}_features.csv", header=None)
    book, _ = clean_as_the_book(root / "processing/input/sales.csv")
    missing = pd.read_csv(root / "processing/input/sales.csv")["Item_Weight"].isnull()
    for index, feature in enumerate(encoding["features"]):
        numbers = ours[:, index] * feature["scale"] + feature["mean"]
        filled = missing if feature["column"] == "Item_Weight" else np.zeros(CHECKED_ROWS, dtype=bool)
        np.testing.assert_allclose(numbers[~filled], book[feature["column"]][~filled], rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(numbers[filled], book[feature["column"]][filled], rtol=0.05)


def parse_rows() -> None:
    """Take `--rows` off the command line, and hand it to the processes of the turns."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--rows", type=int)
    arguments, sys.argv[1:] = parser.parse_known_args()
    if arguments.rows:
        os.environ[ROWS_VARIABLE] = str(arguments.rows)


if __name__ == "__main__":
    parse_rows()
    if "--side" not in sys.argv:
        check_outputs()
    rows = int(os.environ.get(ROWS_VARIABLE, DEFAULT_ROWS))
    main(
        [
            Case(
                name=f"preprocess {rows:,} sales",
                ours=Side(name="headrace", prepare=prepare_root, run=run_ours),
                peers=(Side(name="the book's steps: pandas, scikit-learn", prepare=prepare_root, run=run_book),),
                warm_up=False,
                runs=3 if rows <= DEFAULT_ROWS else 1,
            )
        ]
    )
    if "--side" not in sys.argv:
        shutil.rmtree(DATA, ignore_errors=True)
