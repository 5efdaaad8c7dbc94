"""Turning the forest into ONNX, which holds data only and cannot run code."""

import hashlib
from typing import cast

import numpy as np
import onnx
import skl2onnx
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import RandomForestRegressor

from . import contract

# What the inference container's ONNX Runtime reads, whatever skl2onnx would choose next.
TARGET_OPSET = {"": 21, "ai.onnx.ml": 3}
INPUT_NAME = "features"
COMPARED_ROWS = 16
TOLERANCE = 1e-4


class ExportError(Exception):
    """An exported model that does not answer like the forest it was made from."""


def export_forest(forest: RandomForestRegressor, encoding: bytes) -> onnx.ModelProto:
    """The forest as an ONNX model that names the encoding it belongs to."""
    model: onnx.ModelProto = skl2onnx.to_onnx(
        forest,
        initial_types=[(INPUT_NAME, FloatTensorType([None, forest.n_features_in_]))],
        target_opset=TARGET_OPSET,
    )
    onnx.helper.set_model_props(
        model,
        {
            contract.MODEL_FORMAT_PROPERTY: contract.MODEL_FORMAT,
            contract.ENCODING_DIGEST_PROPERTY: hashlib.sha256(encoding).hexdigest(),
        },
    )
    return model


def check_export(model: onnx.ModelProto, forest: RandomForestRegressor, features: NDArray[np.float32]) -> float:
    """The largest relative difference between model and forest on a few rows, an error if it is too large."""
    rows = features[:COMPARED_ROWS]
    expected = forest.predict(rows)
    # The reference evaluator shares no code with the converter, and needs no package beside onnx.
    answers = cast("list[NDArray[np.float32]]", ReferenceEvaluator(model).run(None, {INPUT_NAME: rows}))[0][:, 0]
    difference = float(np.max(np.abs(answers - expected) / np.maximum(np.abs(expected), 1.0)))
    if difference > TOLERANCE:
        raise ExportError(f"the ONNX model differs from the forest by {difference:.2e}, more than {TOLERANCE}")
    return difference
