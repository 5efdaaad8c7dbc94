from functools import partial
from pathlib import Path

import pytest

from containers.shared.job.reporting import PROCESSING_REPORTS, TRAINING_REPORTS, report_failure, run_and_report
from tests.containers.job_roots import list_files

reports_by_kind = pytest.mark.parametrize("reports", [TRAINING_REPORTS, PROCESSING_REPORTS])


def run_and_raise(root: Path, error: Exception, reports: tuple[str, ...] = TRAINING_REPORTS) -> int:
    def work() -> None:
        raise error

    return run_and_report(work, LookupError, partial(report_failure, root, reports=reports))


def test_reports_nothing_when_the_work_is_done(tmp_path: Path) -> None:
    code = run_and_report(lambda: None, LookupError, partial(report_failure, tmp_path, reports=PROCESSING_REPORTS))

    assert (code, list_files(tmp_path)) == (0, set())


@reports_by_kind
def test_reports_a_mistake_of_the_users_by_its_message(
    tmp_path: Path, reports: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_and_raise(tmp_path, LookupError("no such channel"), reports) == 1

    assert list_files(tmp_path) == set(reports)
    assert {(tmp_path / name).read_text() for name in reports} == {"no such channel"}
    assert capsys.readouterr().err == "no such channel\n"


def test_reports_anything_else_as_internal_with_its_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_and_raise(tmp_path, ValueError("broken")) == 2

    assert (tmp_path / "output/failure").read_text() == "InternalError: ValueError: broken"
    assert "Traceback" in capsys.readouterr().err


def test_writes_what_is_no_text_as_escapes(tmp_path: Path) -> None:
    run_and_raise(tmp_path, LookupError("file \udcff"))

    assert (tmp_path / "output/failure").read_text() == "file \\udcff"
