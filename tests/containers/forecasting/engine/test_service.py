import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from containers.forecasting.engine.model import load_model
from containers.forecasting.engine.service import SERVICE
from containers.shared.serving.endpoint import Endpoint
from containers.shared.serving.model_files import ModelError
from containers.shared.serving.traffic import Traffic
from tests.containers.asgi_client import Client
from tests.containers.forecasting.demand_files import HORIZON

JSON = {"content-type": "application/json"}
LINES = {"content-type": "application/jsonlines", "accept": "application/jsonlines"}


@pytest.fixture
def client(trained_quantiles: Path) -> Client:
    endpoint = Endpoint(SERVICE, trained_quantiles, 1, Traffic(every=True))
    endpoint.load()
    return Client(endpoint)


@pytest.fixture
def instances(series_channels: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (series_channels["train"] / "train.json").read_text().splitlines()]


def ask(client: Client, document: object) -> Any:
    return client.post("/invocations", content=json.dumps(document).encode(), headers=JSON)


def refuse(client: Client, document: object) -> str:
    answer = ask(client, document)
    assert answer.status_code == 400, answer.text
    return str(json.loads(answer.text)["error"])


def test_answers_in_the_form_of_deepar(client: Client, instances: list[dict[str, Any]]) -> None:
    answer = ask(
        client,
        {
            "instances": instances,
            "configuration": {"num_samples": 50, "output_types": ["quantiles"], "quantiles": ["0.9", "0.1"]},
        },
    )

    predictions = json.loads(answer.text)["predictions"]
    assert [list(prediction) for prediction in predictions] == [["quantiles"]] * len(instances)
    for prediction in predictions:
        assert list(prediction["quantiles"]) == ["0.9", "0.1"]
        assert {len(days) for days in prediction["quantiles"].values()} == {int(HORIZON)}


def test_forecasts_as_the_training_job_did(
    client: Client, instances: list[dict[str, Any]], trained_quantiles: Path
) -> None:
    evaluation = json.loads((trained_quantiles / "output/data/evaluation.json").read_text())

    predictions = json.loads(ask(client, {"instances": instances}).text)["predictions"]

    for prediction, shown in zip(predictions, evaluation["shown"], strict=True):
        assert prediction["quantiles"].keys() == shown["quantiles"].keys()
        for quantile, days in shown["quantiles"].items():
            np.testing.assert_allclose(prediction["quantiles"][quantile], days, atol=0.01)


def test_never_crosses_quantiles(client: Client, instances: list[dict[str, Any]]) -> None:
    for prediction in json.loads(ask(client, {"instances": instances}).text)["predictions"]:
        days = np.array(list(prediction["quantiles"].values()))
        assert (np.diff(days, axis=0) >= 0).all()


def test_answers_lines_with_lines(client: Client, instances: list[dict[str, Any]]) -> None:
    body = "".join(f"{json.dumps(instance)}\n" for instance in instances).encode()

    lines = client.post("/invocations", content=body, headers=LINES).text.splitlines()

    assert [json.loads(line) for line in lines] == json.loads(ask(client, {"instances": instances}).text)["predictions"]


def test_forecasts_a_series_that_it_has_never_seen_from_two_months(client: Client) -> None:
    target = [30 + day % 7 for day in range(83)]

    short = refuse(client, {"instances": [{"start": "2030-01-01", "target": target[1:]}]})
    [prediction] = json.loads(ask(client, {"instances": [{"start": "2030-01-01", "target": target}]}).text)[
        "predictions"
    ]

    assert short == (
        "instance 0: a forecast of 28 days needs 83 days or more of its series, the first 56 of these known; "
        "send more of it"
    )
    assert all(15 < value < 60 for value in prediction["quantiles"]["0.5"])


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], 'expected {"instances": […]}, found []'),
        ({"instances": []}, "there are no instances; send at least one series"),
        ({"instances": [{"start": "2024-01-01", "target": [1]}], "config": {}}, "unknown key 'config'"),
        ({"instances": [{"start": "x", "target": [1]}]}, "instance 0: start: 'x' is not a day such as 2013-01-01"),
        ({"instances": [1], "configuration": {"quantiles": ["a"]}}, 'expected quantiles such as ["0.1", "0.5"]'),
        ({"instances": [1], "configuration": {"output_types": ["mean"]}}, 'this engine answers ["quantiles"] alone'),
        ({"instances": [1], "configuration": {"num_samples": 0}}, "expected a whole number from 1 to 10000, found 0"),
        ({"instances": [1], "configuration": {"quantile": []}}, "unknown key 'quantile'"),
        ({"instances": [1], "configuration": 5}, "expected an object, found 5"),
        (
            {"instances": [{"start": "2024-01-01", "target": [1]}], "configuration": {"quantiles": ["0.3"]}},
            "0.3 is not among the model's quantiles, 0.1, 0.5, 0.9",
        ),
    ],
)
def test_says_what_is_wrong_with_a_request(client: Client, document: object, said: str) -> None:
    assert said in refuse(client, document)


def test_refuses_more_series_than_it_answers_at_a_time(client: Client) -> None:
    answer = ask(client, {"instances": [{"start": "2024-01-01", "target": [1]}] * 1001})

    assert answer.status_code == 413


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("forecast.json", lambda text: text.replace(b"headrace-forecast", b"other"), "format 'other' version 1"),
        ("forecast.json", lambda text: text.replace(b"0.1,", b"0.7,"), "quantiles"),
        ("forecast.json", lambda _: b"[]", "not what training writes"),
        ("model.onnx", lambda content: content + b"\0", "not the one that forecast.json belongs to"),
    ],
)
def test_refuses_a_model_that_is_not_ours(
    trained_quantiles: Path, tmp_path: Path, name: str, change: Any, said: str
) -> None:
    for file in (trained_quantiles / "model").iterdir():
        (tmp_path / file.name).write_bytes(change(file.read_bytes()) if file.name == name else file.read_bytes())

    with pytest.raises(ModelError, match=said):
        load_model(tmp_path)
