"""The model that is served computes what the architecture says."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from containers.detection import contract
from containers.detection.architecture import Architecture, design
from containers.detection.cells import decode
from containers.detection.export import DetectorExportError, check_export, export_network
from containers.shared.networks.convolutions import Convolution
from containers.shared.serving.onnx_sessions import open_session
from tests.containers.detection.detectors import draw_weights
from tests.containers.resnet.test_export import Values, convolve

Weights = dict[str, NDArray[np.float32]]


def compute(architecture: Architecture, weights: Weights, photograph: NDArray[np.uint8]) -> Values:
    """What each cell says, as the definition of each layer has it."""
    values = convolve(photograph.transpose(2, 0, 1) / 127.5 - 1, weights, architecture.stem)
    said = []
    for level in architecture.levels:
        values = kept = convolve(values, weights, level.shrinking)
        for step in level.unit.steps:
            values = convolve(values, weights, step)
        values = np.maximum(values + kept, 0)
        said.append(convolve(values, weights, level.lateral))
    joined = said.pop()
    while said:
        finer = said.pop()
        joined = finer + joined.repeat(2, 1).repeat(2, 2)[:, : finer.shape[1], : finer.shape[2]]
    joined = convolve(np.maximum(joined, 0), weights, architecture.joined)
    head = Convolution(
        name="head", inputs=architecture.joined.outputs, outputs=architecture.outputs, kernel=1, is_rectified=False
    )
    return convolve(joined, weights, head)


@pytest.mark.parametrize(("side", "grid"), [(64, 8), (100, 13), (72, 9)])
def test_answers_as_the_definition_of_each_layer_has_it(side: int, grid: int) -> None:
    architecture = design(side, 3)
    weights = draw_weights(architecture)
    photographs = np.random.default_rng(1).integers(0, 256, (2, side, side, 3), np.uint8)

    session = open_session(Path(), export_network(architecture, weights).SerializeToString())

    names = [contract.SCORES_NAME, contract.BOXES_NAME]
    scores, boxes = session.run(names, {contract.INPUT_NAME: photographs})
    said = np.array([compute(architecture, weights, photograph) for photograph in photographs], np.float32)
    expected_scores, expected_boxes = decode(said, 3)
    assert architecture.grid == grid
    assert scores.shape == (2, grid * grid, 3)
    assert scores == pytest.approx(expected_scores, abs=1e-4)
    assert boxes == pytest.approx(expected_boxes, abs=1e-4)


def test_refuses_a_model_that_answers_otherwise() -> None:
    one = np.array([[0.5, 0.5]], np.float32)

    assert check_export([one, one], [one, one]) == 0
    with pytest.raises(DetectorExportError, match=r"differs from the detector by 1\.00e-01"):
        check_export([one, one], [one, np.array([[0.6, 0.4]], np.float32)])
    with pytest.raises(DetectorExportError):
        check_export([np.full((1, 2), np.nan, np.float32)], [one])
