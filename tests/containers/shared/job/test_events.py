import json

import pytest

from containers.shared.job import events
from containers.shared.serving import events as server_events


def test_writes_a_jobs_event_as_its_name_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    events.log_event("rows_read", files=1, rows=8523)

    assert capsys.readouterr() == ("rows_read files=1 rows=8523\n", "")


def test_warns_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    events.warn_event("photograph_skipped", path="a.jpg")

    assert capsys.readouterr() == ("", "photograph_skipped path=a.jpg\n")


def test_writes_a_servers_event_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    server_events.log_event("model_loaded", features=10)

    assert json.loads(capsys.readouterr().out) == {"event": "model_loaded", "features": 10}
