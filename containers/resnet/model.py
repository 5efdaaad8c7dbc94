"""Loading the network and asking it; PyTorch has no part in it."""

import hashlib
import io
import json
from dataclasses import dataclass
from pathlib import Path

import onnxruntime

from containers.shared.images.decoding import decode_photograph
from containers.shared.serving.model_files import ModelError, read_file
from containers.shared.serving.onnx_sessions import open_session
from headrace.algorithms.image_classification import CHANNELS

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
    path = folder / contract.CLASSES_FILE
    labels, digest = parse_classes(path, read_file(path, contract.MOST_CLASSES_BYTES))
    path = folder / contract.MODEL_FILE
    content = read_file(path, contract.MOST_MODEL_BYTES)
    if hashlib.sha256(content).hexdigest() != digest:
        raise ModelError(f"{path}: not the one that {contract.CLASSES_FILE} belongs to; deploy both of one job")
    session = open_session(path, content)
    shape, classes = session.get_inputs()[0].shape, session.get_outputs()[0].shape[-1]
    if len(shape) != 4 or shape[1] != shape[2] or shape[3] != CHANNELS or not isinstance(shape[1], int):
        raise ModelError(f"{path}: it takes {shape}, not photographs; train again with this release")
    if classes != len(labels):
        raise ModelError(f"{path}: it has {classes} classes, and {contract.CLASSES_FILE} names {len(labels)}")
    return Model(session, shape[1], labels)


def parse_classes(path: Path, content: bytes) -> tuple[tuple[str, ...], str]:
    """The names of the classes and the digest of the network."""
    try:
        document = json.loads(content)
        found = (document["format"], document["version"])
        if found != (contract.CLASSES_FORMAT, contract.CLASSES_VERSION):
            raise ValueError(f"format {found[0]!r} version {found[1]!r}")
        return tuple(str(label) for label in document["labels"]), str(document["model_sha256"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelError(f"{path}: not what training writes: {error!r}; train again with this release") from error
