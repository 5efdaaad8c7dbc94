"""Photographs that the image normalizer normalizes while they are read, through the library's own client."""

from collections.abc import Mapping
from io import BytesIO
from urllib.parse import parse_qsl

from containers.shared.images.decoding import DecodingError
from containers.shared.job.events import log_event
from containers.shared.job.training_failures import JobError, TrainingError
from headrace.images.addresses import Address, DoorError, DoorKind, parse_address
from headrace.images.errors import NormalizedImageRefusedError, NormalizedImageUnavailableError
from headrace.images.reader import NormalizedImageReader
from headrace.normalizer.contract import DEFAULT_CONNECTIONS
from headrace.normalizer.errors import BadOptionError
from headrace.normalizer.options import parse_options

from . import contract


class PhotographUnavailableError(TrainingError):
    """A photograph that did not come, however often it was asked for."""


class NormalizedImages:
    """The normalized images of the photographs below a prefix."""

    def __init__(self, reader: NormalizedImageReader, prefix: str, door: DoorKind) -> None:
        self.name = f"the normalizer's {door}"
        self.threads = reader.connections
        self._reader = reader
        self._prefix = prefix

    def lacks(self, _path: str) -> bool:
        """False: asking whether there is a photograph costs as much as reading it."""
        return False

    def measure(self, _path: str) -> int | None:
        """None, for the same reason."""
        return None

    def open(self, path: str) -> BytesIO:
        """The normalized image of a photograph."""
        try:
            return BytesIO(self._reader.read(self._prefix + path))
        except NormalizedImageRefusedError as error:
            raise DecodingError(f"{error.code}: {error.reason}") from error
        except NormalizedImageUnavailableError as error:
            raise PhotographUnavailableError(
                f"photograph {error.key!r} does not come through {self.name}, after many attempts: "
                f"{error.code}: {error.reason}; look at the normalizer's log and alarms, then run the job again"
            ) from error


def open_normalizer(environment: Mapping[str, str]) -> NormalizedImages:
    """The normalizer that the environment names."""
    prefix = parse_prefix(environment.get(contract.IMAGES_PREFIX_VARIABLE, ""))
    options = parse_query(environment.get(contract.IMAGES_OPTIONS_VARIABLE, ""))
    connections = parse_connections(environment.get(contract.IMAGES_CONNECTIONS_VARIABLE, str(DEFAULT_CONNECTIONS)))
    address = parse_door(environment[contract.IMAGES_VARIABLE])
    try:
        reader = NormalizedImageReader(address, options, connections=connections)
    except DoorError as error:
        raise JobError(f"variable {contract.IMAGES_VARIABLE}: {error}") from error
    log_event("normalizer_opened", door=repr(address.kind.value), prefix=prefix, connections=connections, **options)
    return NormalizedImages(reader, prefix, address.kind)


def parse_door(text: str) -> Address:
    """The address of one of the normalizer's doors."""
    try:
        address = parse_address(text)
    except DoorError as error:
        raise JobError(f"variable {contract.IMAGES_VARIABLE}: {error}") from error
    if address.kind is DoorKind.FOLDER:
        raise JobError(
            f"variable {contract.IMAGES_VARIABLE}: {text!r} is a folder, which a job reads as a channel; "
            f"unset the variable, and give the job channels {contract.TRAIN_CHANNEL!r} and "
            f"{contract.VALIDATION_CHANNEL!r}"
        )
    return address


def parse_prefix(text: str) -> str:
    """Where the paths of the lists begin: nowhere, or at a folder."""
    if text and not text.endswith("/"):
        raise JobError(f"variable {contract.IMAGES_PREFIX_VARIABLE}: {text!r} does not end with '/'")
    return text


def parse_query(text: str) -> dict[str, str]:
    """The normalizer's options, checked for what it knows."""
    try:
        options = dict(parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text)))
        parse_options(options)
    except (ValueError, BadOptionError) as error:
        raise JobError(
            f"variable {contract.IMAGES_OPTIONS_VARIABLE}: {error}; write options as in width=256&colour=rgb"
        ) from error
    return options


def parse_connections(text: str) -> int:
    """How many photographs are asked for at the same time."""
    most = contract.MOST_CONNECTIONS
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and 1 <= int(text) <= most):
        raise JobError(
            f"variable {contract.IMAGES_CONNECTIONS_VARIABLE}: {text!r} is not a whole number from 1 to {most}"
        )
    return int(text)
