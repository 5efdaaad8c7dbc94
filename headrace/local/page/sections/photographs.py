"""Photographs of the raw buckets beside what the normalizer makes of them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from headrace.contract import RAW_BUCKET_OUTPUT
from headrace.images.addresses import Address, DoorKind
from headrace.images.doors import Door, open_door
from headrace.images.errors import NormalizedImageError
from headrace.local.page.answers import Answer, PageError
from headrace.local.page.rendering import View
from headrace.local.page.requests import Request
from headrace.local.page.section import FindClient
from headrace.normalizer.contract import FUNCTION_URL_OUTPUT, object_lambda_output
from headrace.normalizer.errors import BadOptionError, NormalizeError
from headrace.normalizer.formats import Format, detect_format, list_suffixes
from headrace.normalizer.options import LARGEST_SIDE, Colour, Fit, Options, OutputFormat, parse_options

_PAIRS: Final = 8
_MOST_LOOKED_AT: Final = 1_000
_MOST_BYTES: Final = 25 << 20
_PREFIX_OF_STACKS: Final = "headrace-"
_ALIAS: Final = object_lambda_output("")
_OPTIONS: Final = ("width", "height", "fit", "colour", "output_format", "quality")
# What browsers show, of what the normalizer reads.
_SHOWN: Final = frozenset({Format.BMP, Format.GIF, Format.JPEG, Format.PNG, Format.WEBP})

OpenDoor = Callable[[Address, Mapping[str, str]], Door]


@dataclass(frozen=True)
class Source:
    """Where an environment has its photographs, and where it normalizes them.

    Args:
        environment: The environment.
        bucket: Its raw bucket.
        address: Its normalizer; None where it has none.
    """

    environment: str
    bucket: str
    address: Address | None


def open_once(address: Address, options: Mapping[str, str]) -> Door:
    """A door that asks once, as people do."""
    return open_door(address, options, connections=1)


class Photographs:
    """The section of photographs.

    Args:
        clients: Finds the client of a service.
        open_door: Opens a way to normalized images.
    """

    name: Final = "photographs"
    title: Final = "Photographs"

    def __init__(self, clients: FindClient, open_door: OpenDoor = open_once) -> None:
        self._clients = clients
        self._open_door = open_door

    def answer(self, request: Request) -> View | Answer:
        """Pairs of photographs and normalized images, or the bytes of one."""
        sources = list(list_sources(self._clients("cloudformation")))
        source = _choose(sources, request.query.get("environment", ""))
        options = _read_options(request.query)
        match request.segments[1:]:
            case []:
                return self._show_pairs(sources, source, options, request.query)
            case ["original"]:
                return self._send_original(source, request.query.get("key", ""))
            case ["normalized"]:
                return self._send_normalized(source, request.query.get("key", ""), options)
        raise PageError(404, "there are photographs, each as 'original' and as 'normalized'")

    def _show_pairs(
        self, sources: list[Source], source: Source | None, options: Mapping[str, str], query: Mapping[str, str]
    ) -> View:
        prefix, after = query.get("prefix", ""), query.get("after", "")
        keys, following = self._list_photographs(source.bucket, prefix, after) if source else ([], "")
        return show_photographs(sources, source, options, prefix=prefix, keys=keys, following=following)

    def _list_photographs(self, bucket: str, prefix: str, after: str) -> tuple[list[str], str]:
        """The keys of some photographs, and the one after which there are more."""
        answer = self._clients("s3").list_objects_v2(
            Bucket=bucket, Prefix=prefix, StartAfter=after, MaxKeys=_MOST_LOOKED_AT
        )
        found = [item["Key"] for item in answer.get("Contents", ())]
        photographs = [key for key in found if key.lower().endswith(list_suffixes())]
        if len(photographs) > _PAIRS:
            return photographs[:_PAIRS], photographs[_PAIRS - 1]
        return photographs, found[-1] if answer.get("IsTruncated") else ""

    def _send_original(self, source: Source | None, key: str) -> Answer:
        if source is None:
            raise PageError(404, "no environment has a raw bucket")
        try:
            found = self._clients("s3").get_object(Bucket=source.bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            raise PageError(404, f"there is no photograph {key!r}") from None
        with found["Body"] as body:
            if found["ContentLength"] > _MOST_BYTES:
                raise PageError(413, f"the photograph has more than {_MOST_BYTES >> 20} MiB")
            return _send_photograph(body.read())

    def _send_normalized(self, source: Source | None, key: str, options: Mapping[str, str]) -> Answer:
        if source is None or source.address is None:
            raise PageError(404, "the environment has no normalizer")
        try:
            return _send_photograph(self._open_door(source.address, options).read(key))
        except NormalizedImageError as error:
            raise PageError(422, str(error)) from None


def list_sources(cloudformation: Any) -> Iterator[Source]:
    """Where the environments that are deployed have their photographs."""
    outputs: dict[str, dict[str, str]] = {}
    for page in cloudformation.get_paginator("describe_stacks").paginate():
        for stack in page["Stacks"]:
            if stack["StackName"].startswith(_PREFIX_OF_STACKS):
                environment = stack["StackName"].split("-")[1]
                of_environment = outputs.setdefault(environment, {})
                of_environment |= {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", ())}
    for environment, found in sorted(outputs.items()):
        if RAW_BUCKET_OUTPUT in found:
            yield Source(environment, found[RAW_BUCKET_OUTPUT], _find_address(found))


def _find_address(outputs: Mapping[str, str]) -> Address | None:
    if FUNCTION_URL_OUTPUT in outputs:
        return Address(DoorKind.FUNCTION_URL, outputs[FUNCTION_URL_OUTPUT])
    alias = next((value for key, value in sorted(outputs.items()) if key.startswith(_ALIAS)), None)
    return Address(DoorKind.OBJECT_LAMBDA, alias) if alias else None


def show_photographs(
    sources: list[Source],
    source: Source | None,
    options: Mapping[str, str],
    *,
    prefix: str,
    keys: list[str],
    following: str,
) -> View:
    """Photographs beside their normalized images.

    Args:
        sources: Where there are any.
        source: Where these are.
        options: The normalizer's options that differ from its defaults.
        prefix: What the keys begin with.
        keys: The keys.
        following: The key after which there are more; empty at the end.
    """
    values = {
        "sources": sources,
        "source": source,
        "options": options,
        "defaults": Options(),
        "choices": {"fit": list(Fit), "colour": list(Colour), "output_format": list(OutputFormat)},
        "largest_side": LARGEST_SIDE,
        "prefix": prefix,
        "keys": keys,
        "following": following,
    }
    return View("photographs.html", "Photographs", values)


def _choose(sources: list[Source], environment: str) -> Source | None:
    if not environment:
        return sources[0] if sources else None
    found = next((source for source in sources if source.environment == environment), None)
    if found is None:
        raise PageError(404, f"the environment {environment!r} is not deployed")
    return found


def _read_options(query: Mapping[str, str]) -> dict[str, str]:
    options = {name: query[name] for name in _OPTIONS if query.get(name)}
    try:
        parse_options(options)
    except BadOptionError as error:
        raise PageError(422, str(error)) from None
    return options


def _send_photograph(content: bytes) -> Answer:
    """The bytes of a photograph, named by what they are: never by what somebody says that they are."""
    try:
        found = detect_format(content)
    except NormalizeError as error:
        raise PageError(422, f"this is not a photograph: {error}") from None
    if found not in _SHOWN:
        raise PageError(422, f"browsers do not show {found} photographs; their normalized images they do")
    return Answer(content, f"image/{found.lower()}")
