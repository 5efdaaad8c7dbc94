"""docs/linear-learner-by-hand.md runs, and what it sends is what AWS takes."""

import re
from io import BytesIO
from typing import Any

import boto3
import numpy as np
import pytest

from headrace.local.sagemaker.validation import load_service_model, validate_request
from headrace.recordio import read_rows
from tests.conftest import PROJECT

PAGE = (PROJECT / "docs" / "linear-learner-by-hand.md").read_text()
[ANSWER] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
ANSWERS = {
    "DescribeTrainingJob": {
        "ModelArtifacts": {"S3ModelArtifacts": "s3://work-bucket/linear-learner/models/model.tar.gz"}
    },
    "InvokeEndpoint": {"Body": BytesIO(ANSWER.encode())},
}
WAITS = {"training_job_completed_or_stopped": "DescribeTrainingJob", "endpoint_in_service": "DescribeEndpoint"}


class FakeClient:
    """A client that checks parameters against botocore's model and notes the operations."""

    def __init__(self, service: str, calls: list[str]) -> None:
        self._model = load_service_model(service)
        self._calls = calls

    def __getattr__(self, method: str) -> Any:
        return lambda **parameters: self.call("".join(map(str.capitalize, method.split("_"))), parameters)

    def get_waiter(self, name: str) -> Any:
        return type("Waiter", (), {"wait": lambda _, **parameters: self.call(WAITS[name], parameters)})()

    def call(self, operation: str, parameters: dict[str, Any]) -> Any:
        validate_request(self._model.operation_model(operation).input_shape, parameters)
        self._calls.append(operation)
        return ANSWERS.get(operation, {})


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the page's blocks leave behind, run one after the other; `calls` are the operations."""
    folder = tmp_path_factory.mktemp("page")
    found: dict[str, Any] = {"calls": [], "folder_of_page": folder}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(boto3, "client", lambda service: FakeClient(service, found["calls"]))
        for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
            exec(block, found)  # noqa: S102 - the project's own page
    return found


def test_bins_sales_into_four_ranges_of_equal_width(names: dict[str, Any]) -> None:
    labels, sales, edges = names["labels"], names["sales"], names["edges"]

    assert np.ptp(np.diff(edges)) == pytest.approx(0)
    assert [sales[labels == label].max() <= edges[label + 1] for label in range(3)] == [True] * 3
    assert set(labels[names["training"]].tolist()) == {0, 1, 2, 3}


@pytest.mark.parametrize("channel", ["train", "validation"])
def test_writes_each_channel_as_float32_rows(names: dict[str, Any], channel: str) -> None:
    chosen = names["training"] if channel == "train" else ~names["training"]

    rows = read_rows(names["folder_of_page"] / names["folder"] / channel / "sales.pbr")

    assert isinstance(rows.features, np.ndarray)
    assert rows.labels is not None
    assert rows.features.dtype == rows.labels.dtype == np.float32
    assert np.array_equal(rows.features, names["features"][chosen])
    assert np.array_equal(rows.labels, names["labels"][chosen])


def test_leaves_no_feature_empty(names: dict[str, Any]) -> None:
    assert np.isfinite(names["features"]).all()


def test_asks_for_a_classifier_of_the_features_that_are_there(names: dict[str, Any]) -> None:
    assert names["request"]["HyperParameters"] == {
        "feature_dim": str(names["features"].shape[1]),
        "predictor_type": "multiclass_classifier",
        "num_classes": "4",
        "mini_batch_size": "100",
    }


def test_streams_both_channels_as_recordio_protobuf(names: dict[str, Any]) -> None:
    channels = names["request"]["InputDataConfig"]

    assert [(channel["ChannelName"], channel["ContentType"], channel["InputMode"]) for channel in channels] == [
        ("train", "application/x-recordio-protobuf", "Pipe"),
        ("validation", "application/x-recordio-protobuf", "Pipe"),
    ]


def test_trains_serves_and_deletes_in_order(names: dict[str, Any]) -> None:
    assert names["calls"] == [
        "CreateTrainingJob",
        "DescribeTrainingJob",
        "DescribeTrainingJob",
        "CreateModel",
        "CreateEndpointConfig",
        "CreateEndpoint",
        "DescribeEndpoint",
        "InvokeEndpoint",
        "DeleteEndpoint",
        "DeleteEndpointConfig",
        "DeleteModel",
    ]


def test_sends_rows_without_labels(names: dict[str, Any]) -> None:
    lines = names["body"].splitlines()

    assert [line.count(",") + 1 for line in lines] == [names["features"].shape[1]] * 2


def test_reads_the_range_of_each_row(names: dict[str, Any]) -> None:
    assert names["ranges"] == [0, 1]
