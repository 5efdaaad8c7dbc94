import pytest

from containers.normalizer import tally as tally_module
from containers.normalizer.tally import Result, Tally


def test_tells_of_progress_every_few_seconds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tally_module, "REPORT_SECONDS", -1)
    tally = Tally()
    tally.skip()

    tally.count(Result.MADE)

    assert capsys.readouterr().out == (
        "progress photographs=1 made=1 kept=0 refused=0 unavailable=0 skipped=1 seconds=0.0\n"
    )


def test_is_silent_in_between(capsys: pytest.CaptureFixture[str]) -> None:
    Tally().count(Result.KEPT)

    assert capsys.readouterr().out == ""
