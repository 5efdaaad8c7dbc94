"""The latest of what runs comes first, though the API lists jobs oldest first."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import boto3
import pytest

from headrace.local.platform import inspection
from headrace.local.sagemaker import Patience
from tests.headrace.local.sagemaker.cloud import Cloud


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MagicMock]:
    """The client of logs, where three processing jobs have run one after the other."""
    cloud = Cloud(tmp_path, Patience())
    image = cloud.push_image("")
    for name in ("early", "later", "last"):
        cloud.process_to_end(image, name)
    logs = MagicMock()
    logs.exceptions.ResourceNotFoundException = LookupError
    logs.get_paginator.return_value.paginate.side_effect = LookupError

    def list_jobs(**request: Any) -> dict[str, Any]:
        return cloud.call("ListProcessingJobs", **request)

    sagemaker = MagicMock(list_processing_jobs=list_jobs)
    monkeypatch.setattr(boto3, "client", {"logs": logs, "sagemaker": sagemaker}.__getitem__)
    yield logs
    cloud.sagemaker.close()


def test_reads_the_log_of_the_latest_job_when_no_name_is_given(logs: MagicMock) -> None:
    with pytest.raises(inspection.NothingLoggedError, match=r"for preprocessing 'last'$"):
        list(inspection.read_log("preprocessing", None))

    assert logs.get_paginator.return_value.paginate.call_args.kwargs["logStreamNamePrefix"].startswith("last")


def test_reads_the_log_of_the_job_that_is_named(logs: MagicMock) -> None:
    with pytest.raises(inspection.NothingLoggedError, match=r"for preprocessing 'early'$"):
        list(inspection.read_log("preprocessing", "early"))

    assert logs.get_paginator.return_value.paginate.call_args.kwargs["logStreamNamePrefix"].startswith("early")


def test_reads_every_stream_of_an_endpoint_that_started_often(logs: MagicMock) -> None:
    """CloudWatch names fifty streams at a time."""
    names = [f"all/{number}" for number in range(60)]

    def paginate(*, logStreamNames: Sequence[str] = (), **_: Any) -> list[dict[str, Any]]:  # noqa: N803
        if logStreamNames:
            return [{"events": [{"message": name} for name in logStreamNames]}]
        return [{"logStreams": [{"logStreamName": name} for name in part]} for part in (names[:50], names[50:])]

    logs.get_paginator.return_value.paginate.side_effect = paginate

    assert list(inspection.read_log("endpoint", "busy")) == names
