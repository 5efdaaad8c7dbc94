"""What a run asks an endpoint that takes encoded rows, and how it reads the answers."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from headrace.recordio import write_rows
from headrace.workloads import linear_learner, xgboost
from headrace.workloads.delivery import Delivery, Folder
from headrace.workloads.encoded import EncodedBatchError, EncodedRun

ROWS = np.array([[0.5, -1.25], [2, 3]], np.float32)
LABELS = np.array([1, 0], np.float32)


class Site(SimpleNamespace):
    """A platform that answers with what it is told to."""

    asked: Any = None

    def open_channel(self, name: str) -> Folder:
        return Folder(self.folder / name)

    def read_training_request(self, _recipe: object) -> Any:
        return {"HyperParameters": self.hyperparameters}

    def invoke(self, _endpoint_name: str, body: bytes, **types: str) -> bytes:
        self.asked = (body.decode(), types)
        answer: bytes = self.answer
        return answer


@pytest.fixture
def site(tmp_path: Path) -> Site:
    write_rows(tmp_path / "validation/test.pbr", ROWS, LABELS)
    return Site(folder=tmp_path, delivery=Delivery(tmp_path / "delivery"))


def test_asks_about_held_out_records_in_csv_and_names_ranges(site: Any, tmp_path: Path) -> None:
    site.hyperparameters = {"predictor_type": "multiclass_classifier"}
    predictions = [{"score": [0.1, 0.9], "predicted_label": 1}, {"score": [0.4, 0.6], "predicted_label": 1}]
    site.answer = json.dumps({"predictions": predictions}).encode()

    asked = linear_learner.Run(None, tmp_path / "scratch").ask_endpoint(site, "shop").predictions

    assert site.asked == ("0.5,-1.25\n2.0,3.0\n", {"content_type": "text/csv", "accept": "application/json"})
    assert [(each.asked, each.predicted, each.actual) for each in asked] == [
        ("row 1 of test.pbr", "range 1", "range 1"),
        ("row 2 of test.pbr", "range 1", "range 0"),
    ]


def test_reads_numbers_of_a_regressor(site: Any, tmp_path: Path) -> None:
    site.hyperparameters = {"predictor_type": "regressor"}
    site.answer = b'{"predictions": [{"score": 12.5}, {"score": 0.5}]}'

    asked = linear_learner.Run(None, tmp_path / "scratch").ask_endpoint(site, "shop").predictions

    assert [(each.predicted, each.actual) for each in asked] == [(12.5, 1.0), (0.5, 0.0)]


@pytest.mark.parametrize("kind", [linear_learner.Run, xgboost.Run])
def test_makes_up_no_batch_of_encoded_rows(kind: type[EncodedRun], site: Any, tmp_path: Path) -> None:
    (tmp_path / "given").mkdir()

    with pytest.raises(EncodedBatchError, match=f"with deploy batch, {kind.title} is asked about encoded rows"):
        kind(None, tmp_path / "scratch").bring_batch(site, Folder(tmp_path / "given"))
