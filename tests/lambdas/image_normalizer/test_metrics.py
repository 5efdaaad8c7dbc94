"""Every request leaves one line, which CloudWatch takes metrics from."""

import io
import json
from typing import Any

from lambdas.image_normalizer.metrics import Outcome, RequestLog


def write(outcome: Outcome) -> dict[str, Any]:
    out = io.StringIO()
    RequestLog(out, clock=lambda: 1_795_000_000.5).write("function_url", outcome, 0.02154)
    (line,) = out.getvalue().splitlines()
    written: dict[str, Any] = json.loads(line)
    return written


def test_says_what_became_of_a_request() -> None:
    line = write(Outcome(status=404, code="NoSuchKey"))

    assert (line["event"], line["door"]) == ("answered", "function_url")
    assert (line["status"], line["code"], line["refused"]) == (404, "NoSuchKey", 1)
    assert line["milliseconds"] == 21.5


def test_declares_only_metrics_that_the_line_has() -> None:
    line = write(Outcome(status=200, is_cached=True))

    (declared,) = line["_aws"]["CloudWatchMetrics"]
    assert line["_aws"]["Timestamp"] == 1_795_000_000_500
    assert declared["Dimensions"] == [["door"]]
    assert all(isinstance(line[metric["Name"]], int | float) for metric in declared["Metrics"])
    assert (line["refused"], line["cache_hits"]) == (0, 1)
