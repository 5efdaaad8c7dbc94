"""The ways to one normalized image, each asked once; who asks again is `headrace.images.reader`."""

import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, Protocol
from urllib.parse import quote, urlencode, urlsplit

import boto3
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from headrace.images.addresses import Address, DoorError, DoorKind
from headrace.images.errors import (
    NormalizedImageError,
    NormalizedImageRefusedError,
    NormalizedImageThrottledError,
    NormalizedImageUnavailableError,
)
from headrace.images.keys import BAD_KEY, check_file_key, check_key, check_url_key
from headrace.normalizer.contract import DEFAULT_TRANSFORMATION, ErrorCode
from headrace.normalizer.sizes import check_size

# The function itself takes 30 seconds at most by default, and 60 by any setting.
_TIMEOUT_SECONDS: Final = 65
_CONNECT_SECONDS: Final = 5
_BELOW_ADDRESS: Final = re.compile(r"[a-z0-9-]+\.(\d+\.\d+\.\d+\.\d+(?::\d+)?)")
_URL_REGION: Final = re.compile(r"\.lambda-url\.([a-z0-9-]+)\.on\.aws$")
# S3's answers when it may not invoke the function at the moment; their status alone would say never.
_UNAVAILABLE_CODES: Final = frozenset({"LambdaInvocationFailed", "LambdaTimeout", "RequestTimeout"})
_THROTTLED_CODE: Final = "SlowDown"
# The normalizer's own answer where it has failed on a photograph, as it would again.
_DEFINITE_CODES: Final = frozenset({ErrorCode.FAILED.value})


class Door(Protocol):
    """A way to normalized images."""

    def read(self, key: str) -> bytes:
        """The normalized image of a photograph.

        Raises:
            NormalizedImageError: If it does not come.
        """


def open_door(address: Address, options: Mapping[str, str], *, connections: int) -> Door:
    """The door at an address, for photographs normalized with these options.

    Raises:
        DoorError: If requests to a function URL cannot be signed, or a folder's transformation is not known.
    """
    if address.kind is DoorKind.FUNCTION_URL:
        return FunctionUrlDoor(address.place, options, connections)
    if address.kind is DoorKind.OBJECT_LAMBDA:
        return ObjectLambdaDoor(address.place, options, connections)
    return FolderDoor(Path(address.place), options, address.transformation)


class FunctionUrlDoor:
    """The normalizer's function URL, with requests signed for AWS."""

    def __init__(self, url: str, options: Mapping[str, str], connections: int) -> None:
        session = boto3.Session()
        credentials = session.get_credentials()
        if credentials is None:
            raise DoorError("no AWS credentials found to sign requests to the function URL")
        self._url = url.rstrip("/")
        self._query = f"?{urlencode(options)}" if options else ""
        self._credentials = credentials
        region = _URL_REGION.search(urllib3.util.parse_url(url).host or "")
        self._region = region[1] if region else session.region_name
        if not self._region:
            raise DoorError(f"{url} does not name the region to sign requests for; set AWS_DEFAULT_REGION")
        self._http = urllib3.PoolManager(
            maxsize=connections,
            timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_TIMEOUT_SECONDS),
            retries=False,
        )

    def read(self, key: str) -> bytes:
        """The normalized image of a photograph."""
        check_url_key(key)
        url = f"{self._url}/{quote(key)}{self._query}"
        response = self._get(key, url, self._sign(key, url))
        if response.status == HTTPStatus.SEE_OTHER:
            # The address is signed already, and for S3.
            response = self._get(key, response.headers["Location"], {})
        if response.status != HTTPStatus.OK:
            raise _explain(key, response.status, *_read_refusal(response.data))
        return response.data

    def _sign(self, key: str, url: str) -> dict[str, str]:
        request = AWSRequest("GET", url)
        try:
            credentials = self._credentials.get_frozen_credentials()
        except BotoCoreError as error:
            # A role's credentials expire, and what hands out new ones may be busy.
            raise NormalizedImageUnavailableError(key, type(error).__name__, str(error)) from error
        SigV4Auth(credentials, "lambda", self._region).add_auth(request)
        return dict(request.headers)

    def _get(self, key: str, url: str, headers: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
        try:
            return self._http.request("GET", url, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise NormalizedImageUnavailableError(key, type(error).__name__, str(error)) from error


class ObjectLambdaDoor:
    """An Object Lambda access point, by its ARN or its alias."""

    def __init__(self, place: str, options: Mapping[str, str], connections: int) -> None:
        self._place = place
        self._options = options
        config = Config(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_TIMEOUT_SECONDS,
            max_pool_connections=connections,
            retries={"total_max_attempts": 1},
        )
        self._s3: Any = boto3.client("s3", config=config)
        self._s3.meta.events.register("before-call.s3.GetObject", self._add_options)
        self._s3.meta.events.register("before-sign.s3.GetObject", name_below_address)

    def read(self, key: str) -> bytes:
        """The normalized image of a photograph."""
        check_key(key)
        try:
            return bytes(self._s3.get_object(Bucket=self._place, Key=key)["Body"].read())
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            raise _explain(key, status, error.response["Error"]["Code"], error.response["Error"]["Message"]) from error
        except (BotoCoreError, urllib3.exceptions.HTTPError) as error:
            raise NormalizedImageUnavailableError(key, type(error).__name__, str(error)) from error

    def _add_options(self, params: dict[str, Any], **_: object) -> None:
        """S3 has no parameters for them; the function finds them in the request's query."""
        if self._options:
            mark = "&" if "?" in params["url"] else "?"
            params["url"] += f"{mark}{urlencode(self._options)}"


def name_below_address(request: AWSRequest, **_: object) -> None:
    """Send a request for a name below an address to the address, and the name in its Host header alone.

    An ARN's name goes before the endpoint's. Where that is an address, as the local cloud's is, no resolver knows it.
    """
    parts = urlsplit(request.url)
    if found := _BELOW_ADDRESS.fullmatch(parts.netloc):
        request.headers["Host"] = parts.netloc
        request.url = parts._replace(netloc=found[1]).geturl()


class FolderDoor:
    """A folder whose photographs, or other objects, this process transforms itself."""

    def __init__(self, folder: Path, options: Mapping[str, str], transformation: str = DEFAULT_TRANSFORMATION) -> None:
        from headrace.transformations.registry import UnknownTransformationError, find_transformation

        self._folder = folder
        try:
            found = find_transformation(transformation)
        except UnknownTransformationError as error:
            raise DoorError(str(error)) from error
        self._transform = found.load()
        self._most_bytes = found.most_bytes
        self._options = found.parse_options(options)

    def read(self, key: str) -> bytes:
        """The normalized image of a photograph."""
        from headrace.normalizer.errors import NormalizeError

        check_file_key(key)
        try:
            return self._transform(self._read_file(key), self._options)
        except NormalizeError as error:
            raise NormalizedImageRefusedError(key, error.code, error.reason) from error
        except OSError as error:
            raise NormalizedImageRefusedError(key, "NoSuchKey", error.strerror or str(error)) from error

    def _read_file(self, key: str) -> bytes:
        """A file of the folder; a link may lead to another one of its files, and nowhere else."""
        path = (self._folder / key).resolve(strict=True)
        if not path.is_relative_to(self._folder.resolve()):
            raise NormalizedImageRefusedError(key, BAD_KEY, "the link leads out of the folder")
        if not path.is_file():
            raise NormalizedImageRefusedError(key, "NoSuchKey", "it is not a file")
        check_size(path.stat().st_size, self._most_bytes)
        return path.read_bytes()


def _explain(key: str, status: int, code: str, reason: str) -> NormalizedImageError:
    if status == HTTPStatus.TOO_MANY_REQUESTS or code == _THROTTLED_CODE:
        return NormalizedImageThrottledError(key, code, reason)
    may_come = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    if code not in _DEFINITE_CODES and (may_come or code in _UNAVAILABLE_CODES):
        return NormalizedImageUnavailableError(key, code, reason)
    return NormalizedImageRefusedError(key, code, reason)


def _read_refusal(body: bytes) -> tuple[str, str]:
    """The code and the reason in an answer of the function, or of what stands before it."""
    try:
        told = json.loads(body)
        return str(told["code"]), str(told["message"])
    except (ValueError, KeyError, TypeError):
        return "Refused", body[:200].decode(errors="replace") or "no reason given"
