# /// script
# requires-python = ">=3.11"
# dependencies = [
#     "headrace",
#     "flask==3.1.3", "gunicorn==27.0.1", "packaging==26.3", "pandas==3.1.1",
#     "httptools==0.9.0", "onnxruntime==1.31.1", "uvicorn==0.54.0", "uvloop==0.23.0",
#     "numpy==2.4.6", "onnx==1.23.2", "polars==2.1.0", "psutil==7.2.2", "scikit-learn==1.9.1", "skl2onnx==1.20.0",
# ]
# [tool.uv.sources]
# headrace = { path = "..", editable = true }
# ///
"""The inference container beside the book's: Flask behind gunicorn, pandas, and a scikit-learn forest unpickled.

Both serve the same sales over loopback with a worker per CPU, taking turns: the book's is sent encoded features, as in
the book; ours is sent raw rows, which it encodes first. wrk measures where it is installed, a client in Python
elsewhere.
"""

import argparse
import csv
import io
import json
import os
import pickle
import platform
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from endpoints import ROOT, list_family, open_book_app, serve_flask, serve_ours, sum_cpu_seconds
from load import name_client, put_load

sys.path.insert(0, str(ROOT))

MANY_CONNECTIONS = 64
BULK_ROWS = 1000
TOLERANCE = 1e-4


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A forest as each side loads it, and how much it errs on the rows that were held out."""

    root: Path
    pickle: Path
    rmse: float


@dataclass(frozen=True, kw_only=True)
class Case:
    """A comparison: which hyperparameters ours and the book's forest have."""

    name: str
    ours: str
    book: str
    by_default: bool = True


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The held-out sales as each side is sent them."""

    raw: Sequence[str]
    features: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """One turn of one side."""

    p50_ms: float
    per_second: float
    cpu_us: float
    bulk_ms: float
    memory_mib: float


CASES = (
    Case(name="the same forest of 500 trees", ours="default", book="default"),
    Case(name="the defaults of each", ours="default", book="grown"),
    Case(name="the same forest of 500 trees, fully grown", ours="grown", book="grown", by_default=False),
)
HYPERPARAMETERS: dict[str, dict[str, Any]] = {"default": {}, "grown": {"min_samples_leaf": 1, "max_features": 1.0}}


def create_book_app() -> Any:
    """The book's endpoint: the model from a pickle, the rows through pandas."""
    import flask
    import pandas as pd

    app, model = open_book_app()

    @app.route("/invocations", methods=["POST"])
    def invocations() -> Any:
        if flask.request.content_type != "text/csv":
            return flask.Response("This predictor only supports CSV data", 415, mimetype="text/plain")
        data = pd.read_csv(io.StringIO(flask.request.data.decode()), header=None)
        answer = io.StringIO()
        pd.DataFrame({"results": model.predict(data.to_numpy())}).to_csv(answer, header=False, index=False)
        return flask.Response(answer.getvalue(), 200, mimetype="text/csv")

    return app


def prepare_sales(folder: Path) -> Rows:
    """Made-up sales, preprocessed; the rows that were held out come back."""
    from containers.big_mart.preprocessing.__main__ import main as preprocess
    from containers.big_mart.preprocessing.splitting import choose_held_out_rows
    from containers.shared.job.outputs import Outputs
    from headrace.workloads.sales import COLUMNS, DEFAULT_ROWS, DEFAULT_SEED, make_rows

    rows = list(make_rows(DEFAULT_ROWS, DEFAULT_SEED))
    sales = folder / "processing/input/sales.csv"
    sales.parent.mkdir(parents=True)
    with sales.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([COLUMNS, *rows])
    with silence():
        assert preprocess([], folder, Outputs()) == 0
    held_out = choose_held_out_rows(len(rows), ratio=0.1, seed=42)
    raw = [",".join(row[:-1]) for row, chosen in zip(rows, held_out, strict=True) if chosen]
    return Rows(raw=raw, features=(folder / "processing/test/test_features.csv").read_text().splitlines())


@contextmanager
def silence() -> Iterator[None]:
    """Nothing on standard output from the programs that run in this process."""
    kept, sys.stdout = sys.stdout, io.StringIO()
    try:
        yield
    finally:
        sys.stdout = kept


def train_forest(folder: Path, name: str, *, export: bool) -> Trained:
    """A forest with the named hyperparameters, pickled, and exported if ours is to serve it."""
    from containers.big_mart.training.channels import read_dataset, read_encoding
    from containers.big_mart.training.evaluation import find_rmse
    from containers.big_mart.training.export import export_forest
    from containers.big_mart.training.forest import fit_forest
    from containers.big_mart.training.hyperparameters import Hyperparameters

    encoding = read_encoding(folder / "processing/encoding")
    train, test = (read_dataset(folder / "processing" / part, encoding.width) for part in ("train", "test"))
    forest = fit_forest(train, Hyperparameters(**HYPERPARAMETERS[name]), lambda *_: None)
    # As the book leaves it: one request is one thread's work.
    forest.set_params(n_jobs=None)
    model = folder / name / "model"
    model.mkdir(parents=True)
    pickled = folder / f"{name}.pkl"
    pickled.write_bytes(pickle.dumps(forest))
    if export:
        (model / "model.onnx").write_bytes(export_forest(forest, encoding.content).SerializeToString())
        (model / "encoding.json").write_bytes(encoding.content)
    return Trained(root=folder / name, pickle=pickled, rmse=find_rmse(test.labels, forest.predict(test.features)))


def serve(side: str, trained: Trained) -> AbstractContextManager[tuple[int, subprocess.Popen[bytes]]]:
    """One side's server, once it is healthy."""
    if side == "ours":
        return serve_ours("containers.big_mart.inference", trained.root)
    return serve_flask(Path(__file__).stem, trained.pickle)


def measure(side: str, trained: Trained, rows: Rows, seconds: float) -> Measurement:
    """One turn: its own server, warmed up, then one row alone, many at once, and many in one request."""
    bodies = [f"{row}\n".encode() for row in (rows.raw if side == "ours" else rows.features)]
    bulk = b"".join((bodies * (1 + BULK_ROWS // len(bodies)))[:BULK_ROWS])
    # The many connections come last: a slow server goes on with their requests after the clients have left.
    with serve(side, trained) as (port, process):
        put_load(port, bodies, 2 * (os.cpu_count() or 1), 1)
        alone, _ = put_load(port, bodies, 1, seconds)
        together, _ = put_load(port, [bulk], 1, seconds)
        family = list_family(process)
        cpu_before = sum_cpu_seconds(family)
        _, per_second = put_load(port, bodies, MANY_CONNECTIONS, seconds)
        cpu_seconds = sum_cpu_seconds(family) - cpu_before
        memory = sum(member.memory_info().rss for member in family)
    return Measurement(
        p50_ms=alone,
        per_second=per_second,
        cpu_us=cpu_seconds / (per_second * seconds) * 1e6,
        bulk_ms=together,
        memory_mib=memory / 2**20,
    )


def compare_predictions(book: Trained, ours: Trained, rows: Rows) -> float:
    """The largest relative difference between the answers of both sides to the held-out rows."""
    answers = [
        ask(side, trained, "\n".join(sent).encode())
        for side, trained, sent in (("book", book, rows.features), ("ours", ours, rows.raw))
    ]
    return max(abs(a - b) / abs(a) for a, b in zip(*answers, strict=True))


def ask(side: str, trained: Trained, body: bytes) -> list[float]:
    """One side's predictions."""
    with serve(side, trained) as (port, _):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/invocations", data=body, headers={"content-type": "text/csv"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - http only
            return [float(line) for line in answer.read().split()]


def compare(case: Case, forests: dict[str, Trained], rows: Rows, *, turns: int, seconds: float) -> dict[str, Any]:
    """Medians of both sides, and the medians of the ratios turn by turn."""
    ours, book = forests[case.ours], forests[case.book]
    measured: dict[str, list[Measurement]] = {"ours": [], "book": []}
    for turn in range(turns):
        for side, trained in (("ours", ours), ("book", book)):
            if sys.stderr.isatty():
                sys.stderr.write(f"\r\033[K{case.name}: turn {turn + 1} of {turns}, {side}")
            measured[side].append(measure(side, trained, rows, seconds))
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    result = {
        "case": case.name,
        "machine": f"{platform.machine()}, {os.cpu_count()} CPUs, Python {platform.python_version()}",
        "client": name_client(),
        "turns": turns,
        "sides": {side: summarize(values) for side, values in measured.items()},
        "ratios": find_ratios(measured["ours"], measured["book"]),
        "file_mib": {
            "ours": (ours.root / "model/model.onnx").stat().st_size / 2**20,
            "book": book.pickle.stat().st_size / 2**20,
        },
        "rmse": {"ours": ours.rmse, "book": book.rmse},
    }
    if case.ours == case.book:
        result["largest_difference"] = compare_predictions(book, ours, rows)
        assert result["largest_difference"] <= TOLERANCE
    return result


def summarize(turns: Sequence[Measurement]) -> dict[str, float]:
    return {name: statistics.median(asdict(turn)[name] for turn in turns) for name in asdict(turns[0])}


def find_ratios(ours: Sequence[Measurement], book: Sequence[Measurement]) -> dict[str, float]:
    """How many times better ours is, turn by turn: a machine that slows down slows both down."""
    ratios = {
        name: statistics.median(asdict(b)[name] / asdict(a)[name] for a, b in zip(ours, book, strict=True))
        for name in ("p50_ms", "cpu_us", "bulk_ms", "memory_mib")
    }
    ratios["per_second"] = statistics.median(a.per_second / b.per_second for a, b in zip(ours, book, strict=True))
    return ratios


def render(result: dict[str, Any]) -> str:
    """The result as a table."""
    lines = [
        f"{result['case']} ({result['machine']}, medians of {result['turns']}, measured by {result['client']})",
        f"{'':28} {'1 row p50':>10} {'64 connections':>15} {'CPU':>10} {'1,000 rows':>11} {'memory':>10} {'file':>10}"
        f" {'RMSE':>7}",
    ]
    for side, label in (("ours", "headrace"), ("book", "Flask, pandas, scikit-learn")):
        values = result["sides"][side]
        lines.append(
            f"  {label:26} {values['p50_ms']:>7.2f} ms {values['per_second']:>13,.0f}/s {values['cpu_us']:>7,.0f} µs "
            f"{values['bulk_ms']:>8.1f} ms {values['memory_mib']:>6.0f} MiB {result['file_mib'][side]:>6.1f} MiB "
            f"{result['rmse'][side]:>7.1f}"
        )
    ratios, files = result["ratios"], result["file_mib"]
    lines.append(
        f"  {'times better':26} {ratios['p50_ms']:>10.1f} {ratios['per_second']:>15.1f} {ratios['cpu_us']:>10.1f} "
        f"{ratios['bulk_ms']:>11.2f} {ratios['memory_mib']:>10.2f} {files['book'] / files['ours']:>10.2f}"
    )
    if "largest_difference" in result:
        lines.append(f"  predictions differ by {result['largest_difference']:.1e} at most, relatively")
    return "\n".join(lines) + "\n"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", choices=[case.name for case in CASES], help="only this case; default: the first two")
    parser.add_argument("--runs", type=int, default=2, help="turns of each side")
    parser.add_argument("--seconds", type=float, default=3.0, help="how long each measurement takes")
    parser.add_argument("--json", action="store_true", help="print JSON")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    chosen = [case for case in CASES if (case.name == arguments.case if arguments.case else case.by_default)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = prepare_sales(folder)
        forests = {
            forest: train_forest(folder, forest, export=any(case.ours == forest for case in chosen))
            for forest in {name for case in chosen for name in (case.ours, case.book)}
        }
        results = [compare(case, forests, rows, turns=arguments.runs, seconds=arguments.seconds) for case in chosen]
    sys.stdout.write(json.dumps(results, indent=2) if arguments.json else "\n".join(map(render, results)))
    sys.stdout.write("\n" if arguments.json else "")


if __name__ == "__main__":
    main()
