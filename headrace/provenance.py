"""What a model was made from: the files that its jobs have read, each by its key, its size and its SHA-256.

A job writes them to `inputs.json`, on one line:

    {"channels":{"train":[{"key":"a/1.jpg","sha256":"9f86d081…","size":5120}]},"fingerprint":"60303ae2…"}

The fingerprint is the SHA-256 of the text that `channels` has, in which channels and files are in order. So the same
files give the same fingerprint: nothing of an execution, a time or the order of reading is in it.

Standard library only.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import BinaryIO, Final

from headrace.errors import HeadraceError

INPUTS_FILE: Final = "inputs.json"
EVALUATION_FILE: Final = "evaluation.json"
# What the raw data look like, as `headrace.drift.profiles` describes it.
PROFILE_FILE: Final = "profile.json"
# In here each list that was read, below the name of its channel.
LISTS_FOLDER: Final = "lists"
# What is kept of the lists of a job at most, all of them together.
MOST_LIST_BYTES: Final = 64 * 2**20

_HEAD: Final = b'{"channels":'
_TAIL: Final = re.compile(rb',"fingerprint":"([0-9a-f]{64})"}\n')
_TAIL_BYTES: Final = len(',"fingerprint":""}\n') + 64
_CHUNK: Final = 2**20


class ProvenanceError(HeadraceError):
    """A record of inputs that does not agree with itself, or is none."""


@dataclass(frozen=True, order=True)
class InputFile:
    """A file that a job has read.

    Args:
        key: Its path in the channel, with `/` between folders.
        sha256: Of what was read, in hexadecimal digits.
        size: How many bytes were read.
    """

    key: str
    sha256: str
    size: int


Channels = Mapping[str, Iterable[InputFile]]


def dump_inputs(channels: Channels) -> bytes:
    """The content of `inputs.json`."""
    described = {name: [asdict(file) for file in sorted(set(files))] for name, files in channels.items()}
    text = json.dumps(described, sort_keys=True, separators=(",", ":")).encode("ascii")
    return b'%b%b,"fingerprint":"%b"}\n' % (_HEAD, text, hashlib.sha256(text).hexdigest().encode("ascii"))


def find_fingerprint(file: BinaryIO) -> str:
    """The fingerprint in an `inputs.json`, read piece by piece, whatever its size.

    Args:
        file: The file, which can be sought in.

    Raises:
        ProvenanceError: If it is not such a file, or the fingerprint is not that of its channels.
    """
    length = file.seek(0, 2) - len(_HEAD) - _TAIL_BYTES
    file.seek(0)
    if length <= 0 or file.read(len(_HEAD)) != _HEAD:
        raise ProvenanceError(f"{INPUTS_FILE}: not a record of inputs, which begins with {_HEAD.decode()!r}")
    digest = hashlib.sha256()
    while length and (piece := file.read(min(length, _CHUNK))):
        digest.update(piece)
        length -= len(piece)
    named = _TAIL.fullmatch(file.read())
    if not named:
        raise ProvenanceError(f"{INPUTS_FILE}: not a record of inputs, which ends with a fingerprint")
    if named[1].decode() != digest.hexdigest():
        raise ProvenanceError(f"{INPUTS_FILE}: the fingerprint is not that of its channels; the file was changed")
    return digest.hexdigest()


def read_inputs(content: bytes) -> dict[str, list[InputFile]]:
    """The channels of an `inputs.json`, wherever it comes from.

    Raises:
        ProvenanceError: If it is not such a file.
    """
    try:
        document = json.loads(content)
        channels = {name: [_read_file(**file) for file in files] for name, files in document["channels"].items()}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ProvenanceError(f"{INPUTS_FILE}: not a record of inputs ({error!r})") from error
    if dump_inputs(channels) != content:
        raise ProvenanceError(f"{INPUTS_FILE}: not a record of inputs as jobs write it; the file was changed")
    return channels


def _read_file(*, key: object, sha256: object, size: object) -> InputFile:
    if not (isinstance(key, str) and isinstance(sha256, str) and isinstance(size, int)):
        raise TypeError(f"file {key!r} has a member of the wrong type")
    return InputFile(key, sha256, size)
