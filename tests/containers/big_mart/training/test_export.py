import hashlib

import numpy as np
import onnx
import onnxruntime
import pytest
from sklearn.ensemble import RandomForestRegressor

from containers.big_mart.training.channels import Dataset
from containers.big_mart.training.export import ExportError, check_export, export_forest
from containers.big_mart.training.forest import fit_forest
from containers.big_mart.training.hyperparameters import Hyperparameters


def make_data(seed: int) -> Dataset:
    chance = np.random.default_rng(seed)
    features = chance.normal(size=(300, 4)).astype(np.float32)
    return Dataset(features, 1000 + 500 * features[:, 0].astype(np.float64) + chance.normal(size=300))


def grow(seed: int) -> RandomForestRegressor:
    return fit_forest(make_data(seed), Hyperparameters(n_estimators=10, min_samples_leaf=1), lambda *_: None)


def test_answers_like_the_forest_in_onnx_runtime() -> None:
    forest = grow(1)
    model = export_forest(forest, b"{}")
    rows = make_data(2).features

    session = onnxruntime.InferenceSession(model.SerializeToString())

    np.testing.assert_allclose(session.run(None, {"features": rows})[0][:, 0], forest.predict(rows), rtol=1e-4)


def test_names_the_encoding_it_belongs_to() -> None:
    model = export_forest(grow(1), b"the encoding")

    assert {prop.key: prop.value for prop in model.metadata_props} == {
        "format": "headrace-forest-1",
        "encoding_sha256": hashlib.sha256(b"the encoding").hexdigest(),
    }


def test_is_a_valid_model_of_the_pinned_opset() -> None:
    model = export_forest(grow(1), b"{}")

    onnx.checker.check_model(model)
    assert {(opset.domain, opset.version) for opset in model.opset_import} == {("", 21), ("ai.onnx.ml", 1)}


def test_accepts_a_model_that_answers_like_the_forest() -> None:
    forest = grow(1)

    assert check_export(export_forest(forest, b"{}"), forest, make_data(2).features) < 1e-5


def test_refuses_a_model_that_answers_otherwise() -> None:
    with pytest.raises(ExportError, match="the ONNX model differs from the forest by"):
        check_export(export_forest(grow(1), b"{}"), grow(2), make_data(3).features)
