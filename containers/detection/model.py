"""Loading the detector and asking it; PyTorch has no part in it."""

import io
from dataclasses import dataclass
from pathlib import Path

import onnxruntime

from containers.shared.images.decoding import decode_photograph
from containers.shared.networks.described import (
    open_network,
    parse_description,
    refuse_description,
    run_on_black_photograph,
)
from containers.shared.serving.model_files import ModelError

from . import contract
from .architecture import BOX_NUMBERS
from .finding import Floats, find_objects


@dataclass(frozen=True)
class Model:
    """A detector, the side of the photographs that it takes, how many classes it has and which boxes mean the same."""

    session: onnxruntime.InferenceSession
    side: int
    classes: int
    nms_threshold: float

    def find(self, body: bytes) -> Floats:
        """The objects in the photograph of a request's body, as `find_objects` has them.

        Raises:
            DecodingError: If it cannot be decoded.
        """
        pixels = decode_photograph(io.BytesIO(body), self.side)
        names = [contract.SCORES_NAME, contract.BOXES_NAME]
        scores, boxes = self.session.run(names, {contract.INPUT_NAME: pixels[None]})
        return find_objects(scores[0], boxes[0], self.nms_threshold)


def load_model(folder: Path) -> Model:
    """The model in a folder, checked to be ours and whole."""
    described = folder / contract.DETECTOR_FILE
    document = parse_description(described, contract.DETECTOR_FORMAT, contract.DETECTOR_VERSION)
    try:
        classes, nms_threshold = int(document["classes"]), float(document["nms_threshold"])
        if not 0 < nms_threshold <= 1:
            raise ValueError(f"nms_threshold {nms_threshold}")
    except (KeyError, TypeError, ValueError) as error:
        raise refuse_description(described, error) from error
    path = folder / contract.MODEL_FILE
    session, side = open_network(path, described, document["model_sha256"])
    scores, boxes = run_on_black_photograph(
        path, session, side, contract.INPUT_NAME, [contract.SCORES_NAME, contract.BOXES_NAME]
    )
    if scores.shape[2:] != (classes,) or boxes.shape != (*scores.shape[:2], BOX_NUMBERS):
        raise ModelError(
            f"{path}: its scores are {scores.shape} and its boxes {boxes.shape}, and {described.name} has {classes} "
            "classes; deploy both of one job"
        )
    return Model(session, side, classes, nms_threshold)
