"""Loading the network and asking it; PyTorch has no part in it."""

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


@dataclass(frozen=True)
class Model:
    """A network, the side of the photographs that it takes and the names of its classes."""

    session: onnxruntime.InferenceSession
    side: int
    labels: tuple[str, ...]

    def classify(self, body: bytes) -> list[float]:
        """The probability of each class for the photograph in a request's body, class 0 first.

        Raises:
            DecodingError: If it cannot be decoded.
        """
        pixels = decode_photograph(io.BytesIO(body), self.side)
        answers: list[float] = self.session.run(None, {contract.INPUT_NAME: pixels[None]})[0][0].tolist()
        return answers


def load_model(folder: Path) -> Model:
    """The model in a folder, checked to be ours and whole."""
    described = folder / contract.CLASSES_FILE
    document = parse_description(described, contract.CLASSES_FORMAT, contract.CLASSES_VERSION)
    try:
        labels = tuple(str(label) for label in document["labels"])
    except (KeyError, TypeError) as error:
        raise refuse_description(described, error) from error
    path = folder / contract.MODEL_FILE
    session, side = open_network(path, described, document["model_sha256"])
    classes = run_on_black_photograph(path, session, side, contract.INPUT_NAME, None)[0].shape[-1]
    if classes != len(labels):
        raise ModelError(f"{path}: it has {classes} classes, and {contract.CLASSES_FILE} names {len(labels)}")
    return Model(session, side, labels)
