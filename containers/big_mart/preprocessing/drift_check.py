"""Checks what an endpoint was asked for drift: `python -m containers.big_mart.preprocessing.drift_check --since …`.

It runs as a processing job, and needs nothing of the program beside it: it is here because this container image knows
what a raw row is made of, and is small. Its message is JSON, `headrace.drift.contract.Finding` says with which keys.
"""

import json
import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from containers.shared import sagemaker
from containers.shared.job.arguments import ArgumentParser
from containers.shared.job.outputs import Outputs
from containers.shared.job.reporting import PROCESSING_REPORTS, report_failure, run_and_report, write_report
from containers.shared.job.stopping import run_until_stopped
from headrace.drift import contract
from headrace.drift.checking import Window, check_requests
from headrace.drift.contract import Finding
from headrace.drift.profiles import Profile, ProfileError, read_profile
from headrace.drift.report import Check, render_page
from headrace.errors import as_shown
from headrace.provenance import PROFILE_FILE

from .failures import ArgumentError, PreprocessingError

# A message has 1,024 characters, and names of columns may be long.
MOST_NAMES = 5
LONGEST_NAME = 64
LONGEST_REASON = 256


@dataclass(frozen=True, kw_only=True)
class Options:
    """What the command line says."""

    window: Window
    threshold: float
    min_rows: int
    title: str


def main(arguments: Sequence[str], root: Path, outputs: Outputs) -> int:
    """Run the check below the root and return its exit code, which is 0 whatever the check has found."""

    def work() -> None:
        check = check_folders(root, parse_options(arguments))
        write_check(root / contract.REPORT_FOLDER, check, outputs)
        sys.stdout.write(f"{check.summarize()}\n")
        message = json.dumps(describe(check), allow_nan=False)
        write_report(root / sagemaker.MESSAGE_FILE, message)

    return run_and_report(work, PreprocessingError, partial(report_failure, root, reports=PROCESSING_REPORTS))


def parse_options(arguments: Sequence[str]) -> Options:
    """The command line, checked."""
    parser = ArgumentParser(mistake=ArgumentError, prog=contract.CHECK_MODULE)
    for argument, kind in (
        (contract.SINCE_ARGUMENT, read_time),
        (contract.UNTIL_ARGUMENT, read_time),
        (contract.THRESHOLD_ARGUMENT, float),
        (contract.MIN_ROWS_ARGUMENT, int),
        (contract.TITLE_ARGUMENT, str),
    ):
        parser.add_argument(argument, required=True, type=kind)
    given = parser.parse_args(arguments)
    if not (math.isfinite(given.threshold) and given.threshold > 0 and given.min_rows > 0):
        raise ArgumentError("a threshold and a number of rows are above 0")
    window = Window(given.since, given.until)
    return Options(window=window, threshold=given.threshold, min_rows=given.min_rows, title=given.title)


def read_time(text: str) -> datetime:
    """A time with its zone."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment


def check_folders(root: Path, options: Options) -> Check:
    """Compare what is in the folders of captured requests with the profile."""
    truth = root / contract.TRUTH_FOLDER
    return check_requests(
        load_profile(root / contract.PROFILE_FOLDER / PROFILE_FILE),
        read_lines(root / contract.CAPTURED_FOLDER),
        read_lines(truth) if truth.is_dir() else None,
        window=options.window,
        threshold=options.threshold,
        min_rows=options.min_rows,
        title=options.title,
    )


def load_profile(file: Path) -> Profile:
    """What the training data of the version that serves look like."""
    try:
        return read_profile(json.loads(file.read_bytes()))
    except OSError as error:
        raise PreprocessingError(f"{file}: {error.strerror}; a version's record must have {file.name}") from error
    except (ProfileError, ValueError, RecursionError) as error:
        raise PreprocessingError(f"{file.name} of the version's record: {error}") from error


def read_lines(folder: Path) -> Iterator[bytes]:
    """The lines of all files below a folder."""
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        with file.open("rb") as lines:
            yield from lines


def write_check(folder: Path, check: Check, outputs: Outputs) -> None:
    """Write the report as a page and as JSON."""
    with outputs:
        outputs.add(folder / contract.PAGE_FILE).write_text(render_page(check), encoding="utf-8")
        document = json.dumps(check.render(), ensure_ascii=False, indent=2)
        outputs.add(folder / contract.DOCUMENT_FILE).write_text(f"{document}\n", encoding="utf-8")


def describe(check: Check) -> dict[str, Any]:
    """What was found, as short as a job's message must be."""
    found: dict[str, Any] = {
        Finding.VERDICT: check.verdict,
        Finding.REASON: shorten(check.summarize(), LONGEST_REASON),
        Finding.COUNT: len(check.drifted),
        Finding.COLUMNS: [shorten(name, LONGEST_NAME) for name in check.drifted[:MOST_NAMES]],
        Finding.ROWS: check.rows,
    }
    if check.index is not None:
        found[Finding.INDEX] = round(check.index, 4)
    if check.quality and check.quality.value is not None:
        found[Finding.QUALITY] = {check.quality.measure: check.quality.value}
    return found


def shorten(text: str, most: int) -> str:
    """A text of which no character becomes several in JSON, and at most so long."""
    plain = as_shown(text).encode("ascii", "replace").decode().replace("\\", "?").replace('"', "'")
    return plain if len(plain) <= most else f"{plain[: most - 3]}..."


if __name__ == "__main__":
    ml_root = sagemaker.find_root()
    partial_outputs = Outputs()
    sys.exit(run_until_stopped(lambda: main(sys.argv[1:], ml_root, partial_outputs), discard=partial_outputs.discard))
