"""The command line: what to normalize, to where, and how."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

from containers.shared.job.arguments import ArgumentParser
from headrace.normalizer.errors import BadOptionError
from headrace.normalizer.options import Options, parse_options
from headrace.s3.addresses import S3Address, S3AddressError

from . import contract
from .failures import JobArgumentError

_LARGEST_NUMBER: Final = 10**9
_OPTIONS: Final = [field.name for field in fields(Options)]


@dataclass(frozen=True, kw_only=True)
class Job:
    """What the command line says.

    Args:
        source: The prefix of the photographs, or the manifest that lists them.
        is_manifest: Which of the two.
        destination: The prefix of everything that is written.
        options: The normalized images that are asked for.
        max_refused: How many photographs may be refused for their own fault.
        connections: How many photographs are read and written at a time.
        is_packed: Whether the normalized images also become a packed set.
    """

    source: S3Address
    is_manifest: bool
    destination: S3Address
    options: Options
    max_refused: int
    connections: int
    is_packed: bool = False


def parse_job(arguments: Sequence[str]) -> Job:
    """The command line, checked."""
    parsed = _build_parser().parse_args(arguments)
    is_manifest = parsed.manifest is not None
    job = Job(
        source=(
            _parse_object(contract.MANIFEST_ARGUMENT, parsed.manifest)
            if is_manifest
            else _parse_prefix(contract.SOURCE_ARGUMENT, parsed.source)
        ),
        is_manifest=is_manifest,
        destination=_parse_prefix(contract.DESTINATION_ARGUMENT, parsed.destination),
        options=_parse_options({name: vars(parsed)[name] for name in _OPTIONS if vars(parsed)[name] is not None}),
        max_refused=_parse_number(contract.MAX_REFUSED_ARGUMENT, parsed.max_refused, 0, _LARGEST_NUMBER),
        connections=_parse_number(contract.CONNECTIONS_ARGUMENT, parsed.connections, 1, contract.MOST_CONNECTIONS),
        is_packed=parsed.packed,
    )
    _keep_apart(job)
    if job.is_packed and is_manifest:
        raise JobArgumentError(
            f"{contract.PACKED_ARGUMENT}: the classes of a packed set are the folders below "
            f"{contract.SOURCE_ARGUMENT}, and {contract.MANIFEST_ARGUMENT} has none; give a prefix, or leave it out"
        )
    return job


def _build_parser() -> ArgumentParser:
    parser = ArgumentParser(
        mistake=JobArgumentError,
        prog="python -m containers.normalizer",
        description="Normalize photographs of S3 in bulk. A job that was interrupted goes on when it is run again.",
    )
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument(contract.SOURCE_ARGUMENT, help="prefix of the photographs, such as s3://bucket/images/")
    source.add_argument(contract.MANIFEST_ARGUMENT, help="augmented manifest whose source-ref are the photographs")
    parser.add_argument(contract.DESTINATION_ARGUMENT, required=True, help="prefix for normalized images and reports")
    for field in fields(Options):
        parser.add_argument(contract.option_argument(field.name), help=f"of the results (default: {field.default})")
    parser.add_argument(
        contract.MAX_REFUSED_ARGUMENT,
        default="0",
        help="how many photographs may be refused because they cannot be read (default: %(default)s)",
    )
    parser.add_argument(
        contract.CONNECTIONS_ARGUMENT,
        default=str(contract.DEFAULT_CONNECTIONS),
        help="how many photographs to read and write at a time (default: %(default)s)",
    )
    parser.add_argument(
        contract.PACKED_ARGUMENT,
        action="store_true",
        help="also write a packed set, whose classes are the folders below the prefix of the photographs",
    )
    return parser


def _parse_options(given: dict[str, str]) -> Options:
    try:
        return parse_options(given)
    except BadOptionError as error:
        raise JobArgumentError(f"{error.reason}; see --help") from None


def _parse_location(argument: str, text: str) -> S3Address:
    try:
        return S3Address.parse(text)
    except S3AddressError as error:
        raise JobArgumentError(f"{argument}: {error}") from None


def _parse_prefix(argument: str, text: str) -> S3Address:
    location = _parse_location(argument, text)
    if not location.is_folder:
        raise JobArgumentError(f"{argument}: {text!r} is not a prefix: end it with '/'")
    return location


def _parse_object(argument: str, text: str) -> S3Address:
    location = _parse_location(argument, text)
    if location.is_folder:
        raise JobArgumentError(f"{argument}: {text!r} does not name an object; give the address of a manifest")
    return location


def _parse_number(argument: str, text: str, least: int, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and least <= int(text) <= most):
        raise JobArgumentError(f"{argument}: {text!r} is not a whole number from {least} to {most}")
    return int(text)


def _keep_apart(job: Job) -> None:
    """A job whose normalized images lay among its photographs would take them for photographs."""
    overlap = job.source.contains(job.destination) or job.destination.contains(job.source)
    if overlap and not job.is_manifest:
        raise JobArgumentError(
            f"{contract.DESTINATION_ARGUMENT}: {job.destination} overlaps with {contract.SOURCE_ARGUMENT} "
            f"{job.source}; choose a prefix beside it"
        )
