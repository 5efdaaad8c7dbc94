"""A network and the file beside it, which says what the endpoint has to know of it and which network that is."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from containers.shared.serving.model_files import ModelError, read_file
from containers.shared.serving.onnx_sessions import open_session

MOST_NETWORK_BYTES: Final = 2**31
MOST_DESCRIPTION_BYTES: Final = 16 * 2**20
_COLOURS: Final = 3


def describe_network(kind: str, version: int, network: bytes, **facts: Any) -> str:
    """The file's content.

    A sample:

    {"format": "headrace-resnet", "version": 1, "labels": ["accordion", "bonsai"], "model_sha256": "9f86d081…"}

    Args:
        kind: Whose format it is.
        version: Of the format.
        network: The network, as ONNX.
        facts: What the endpoint has to know.
    """
    document = {"format": kind, "version": version, **facts, "model_sha256": hashlib.sha256(network).hexdigest()}
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def parse_description(path: Path, kind: str, version: int) -> Mapping[str, Any]:
    """What a file says of its network.

    Raises:
        ModelError: If it is not of this kind and version.
    """
    content = read_file(path, MOST_DESCRIPTION_BYTES)
    try:
        document: Mapping[str, Any] = json.loads(content)
        found = (document["format"], document["version"])
        if found != (kind, version):
            raise ValueError(f"format {found[0]!r} version {found[1]!r}")
        return {**document, "model_sha256": str(document["model_sha256"])}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise refuse_description(path, error) from error


def refuse_description(path: Path, error: Exception) -> ModelError:
    """The error for a file that is not what training writes."""
    return ModelError(f"{path}: not what training writes: {error!r}; train again with this release")


def open_network(path: Path, description: Path, digest: str) -> tuple[onnxruntime.InferenceSession, int]:
    """A network that takes photographs, and the side that these have.

    Args:
        path: The network.
        description: The file beside it.
        digest: What that says of the network.

    Raises:
        ModelError: If it is another network, or takes something else.
    """
    content = read_file(path, MOST_NETWORK_BYTES)
    if hashlib.sha256(content).hexdigest() != digest:
        raise ModelError(f"{path}: not the one that {description.name} belongs to; deploy both of one job")
    session = open_session(path, content)
    shape = session.get_inputs()[0].shape
    if len(shape) != 4 or shape[1] != shape[2] or shape[3] != _COLOURS or not isinstance(shape[1], int):
        raise ModelError(f"{path}: it takes {shape}, not photographs; train again with this release")
    return session, shape[1]


def run_on_black_photograph(
    path: Path, session: onnxruntime.InferenceSession, side: int, given: str, names: Sequence[str] | None
) -> list[NDArray[np.float32]]:
    """What a network answers to a black photograph, so that one that cannot answer is refused before it serves.

    Args:
        path: The network, for messages.
        session: The same.
        side: Rows and columns of its photographs.
        given: The name of the input that takes them.
        names: Its outputs that are wanted; None for all of them.

    Raises:
        ModelError: If the network fails, or answers with anything but finite numbers.
    """
    black = np.zeros((1, side, side, _COLOURS), np.uint8)
    try:
        answers: list[NDArray[np.float32]] = session.run(names, {given: black})
        sound = all(np.isfinite(answer).all() for answer in answers)
    except Exception as error:
        raise ModelError(f"{path}: it fails on a photograph: {error}; train again with this release") from error
    if not sound:
        raise ModelError(f"{path}: it answers with numbers that are not finite; train again with this release")
    return answers
