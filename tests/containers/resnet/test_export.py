"""The model that is served computes what the architecture says."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from containers.resnet import contract
from containers.resnet.architecture import Architecture, design
from containers.resnet.export import ResnetExportError, check_export, export_network
from containers.shared.networks.convolutions import Convolution
from containers.shared.serving.onnx_sessions import open_session
from tests.containers.resnet.networks import draw_weights

Values = NDArray[np.float64]


def convolve(values: Values, weights: dict[str, NDArray[np.float32]], convolution: Convolution) -> Values:
    """A convolution as its definition has it, by channel, row and column."""
    kernel, stride, padding = convolution.kernel, convolution.stride, convolution.padding
    padded = np.pad(values, ((0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), (1, 2))[:, ::stride, ::stride]
    found = np.tensordot(weights[f"{convolution.name}.weight"], windows, axes=([1, 2, 3], [0, 3, 4]))
    found = found + weights[f"{convolution.name}.bias"][:, None, None]
    return np.maximum(found, 0) if convolution.is_rectified else found


def pool(values: Values) -> Values:
    padded = np.pad(values, ((0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (1, 2))[:, ::2, ::2]
    return np.asarray(windows.max(axis=(3, 4)))


def compute(
    architecture: Architecture, weights: dict[str, NDArray[np.float32]], photograph: NDArray[np.uint8]
) -> Values:
    values = convolve(photograph.transpose(2, 0, 1) / 127.5 - 1, weights, architecture.stem)
    if architecture.is_pooled:
        values = pool(values)
    for unit in architecture.units:
        kept = convolve(values, weights, unit.shortcut) if unit.shortcut else values
        for step in unit.steps:
            values = convolve(values, weights, step)
        values = np.maximum(values + kept, 0)
    scores = weights["head.weight"] @ values.mean((1, 2)) + weights["head.bias"]
    odds = np.exp(scores - scores.max())
    return np.asarray(odds / odds.sum())


@pytest.mark.parametrize(
    ("layers", "side"),
    [
        (20, 12),
        (18, 32),
        pytest.param(18, 40, marks=pytest.mark.slow),
        pytest.param(50, 33, marks=pytest.mark.slow),
    ],
)
def test_answers_as_the_definition_of_each_layer_has_it(layers: int, side: int) -> None:
    architecture = design(layers, side, 4)
    weights = draw_weights(architecture)
    photographs = np.random.default_rng(1).integers(0, 256, (2, side, side, 3), np.uint8)

    session = open_session(Path(), export_network(architecture, weights).SerializeToString())

    (answers,) = session.run(None, {contract.INPUT_NAME: photographs})
    expected = [compute(architecture, weights, photograph) for photograph in photographs]
    assert answers == pytest.approx(np.array(expected), abs=1e-4)


def test_refuses_a_model_that_answers_otherwise() -> None:
    answers = np.array([[0.5, 0.5]], np.float32)

    assert check_export(answers, answers) == 0
    with pytest.raises(ResnetExportError, match=r"differs from the network by 1\.00e-01"):
        check_export(answers, np.array([[0.6, 0.4]], np.float32))
    with pytest.raises(ResnetExportError):
        check_export(np.full((1, 2), np.nan, np.float32), answers)
