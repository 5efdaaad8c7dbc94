"""Which operation a request asks for, by the models that AWS's own clients are made from."""

import gzip
import io
import json
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import parse_qsl, unquote

from botocore.exceptions import UnknownServiceError
from botocore.model import OperationModel, ServiceModel, Shape, StructureShape
from defusedxml.ElementTree import ParseError, fromstring  # type: ignore[import-untyped]

from headrace.local.engine.refusals import find_service
from headrace.local.engine.signatures import SentRequest
from headrace.local.sagemaker.validation import load_service_model

# Services whose models have other names than the one that requests are signed for, or more than one.
_MODELS: Final[Mapping[str, tuple[str, ...]]] = {
    "airflow": ("mwaa",),
    "aoss": ("opensearchserverless",),
    "apigateway": ("apigateway", "apigatewayv2"),
    "appconfig": ("appconfig", "appconfigdata"),
    "bedrock": ("bedrock", "bedrock-agent", "bedrock-agent-runtime", "bedrock-runtime"),
    "bedrock-agentcore": ("bedrock-agentcore", "bedrock-agentcore-control"),
    "cloudcontrolapi": ("cloudcontrol",),
    "dynamodb": ("dynamodb", "dynamodbstreams"),
    "elasticfilesystem": ("efs",),
    "elasticloadbalancing": ("elb", "elbv2"),
    "elasticmapreduce": ("emr",),
    "es": ("es", "opensearch"),
    "geo": ("location",),
    "iotdata": ("iot-data",),
    "kinesisanalytics": ("kinesisanalytics", "kinesisanalyticsv2"),
    "lambda": ("lambda", "lambda-core", "lambda-microvms"),
    "monitoring": ("cloudwatch",),
    "rds": ("rds", "docdb", "neptune"),
    "s3": ("s3", "s3control"),
    "s3-object-lambda": ("s3",),
    "sagemaker": ("sagemaker", "sagemaker-runtime"),
    "servicequotas": ("service-quotas",),
    "ses": ("ses", "sesv2"),
    "signer": ("signer", "signer-data"),
    "states": ("stepfunctions",),
    "tagging": ("resourcegroupstaggingapi",),
}
_S3_CONTROL: Final = "/v20180820/"
_OLDER_SIGNATURE: Final = ("AWSAccessKeyId", "Signature", "Expires")
_BELOW_HOST: Final = re.compile(r"(?P<name>.+?)\.(?:localhost|127\.0\.0\.1)(?::\d+)?")
_ENDPOINT_OF_S3: Final = re.compile(r"s3(?:[.-].*)?")
# What clients compress, log events and metrics, has 1 MiB at most.
_MOST_UNPACKED_BYTES: Final = 16 << 20
_LABEL: Final = re.compile(r"\{([^}]+?)(\+?)\}")


class UncertainRequestError(Exception):
    """A request that one may read in more than one way, or in none."""


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What a request asks for.

    Args:
        service: The service, as its model is called.
        name: The operation.
    """

    service: str
    name: str


def read_operation(request: SentRequest) -> Operation:
    """The one operation that a request asks for, and all of whose members it may have.

    Raises:
        UncertainRequestError: If there is no such operation, or the request has members that it does not have.
    """
    service = find_service(request) or "s3"
    found: list[tuple[Any, Operation]] = []
    reasons: list[str] = []
    for model in _choose_models(service, request):
        for protocol in _list_protocols(model):
            try:
                for rank, name in _READERS[protocol](model, request):
                    found.append((rank, Operation(service=model.service_name, name=name)))
            except UncertainRequestError as error:
                reasons.append(str(error))
    if not found:
        default = f"no operation of {service} is {request.method} {request.path} with {sorted(request.query)}"
        raise UncertainRequestError(reasons[0] if reasons else default)
    return max(found, key=lambda ranked: ranked[0])[1]


def _choose_models(service: str, request: SentRequest) -> Iterator[ServiceModel]:
    for name in _MODELS.get(service, (service,)):
        if service == "s3" and (name == "s3control") != request.path.startswith(_S3_CONTROL):
            continue
        try:
            yield load_service_model(name)
        except UnknownServiceError:
            raise UncertainRequestError(f"AWS's clients know no service that signs as {service}") from None


def _list_protocols(model: ServiceModel) -> Iterable[str]:
    further = ["query"] if "awsQueryCompatible" in model.metadata else []
    return dict.fromkeys([*model.metadata.get("protocols", [model.metadata["protocol"]]), *further])


def _read_json(model: ServiceModel, request: SentRequest) -> Iterator[tuple[Any, str]]:
    prefix, _, name = request.headers.get("x-amz-target", "").rpartition(".")
    is_alone = request.method == "POST" and request.path == "/" and not _list_query(request)
    if not is_alone or _is_form(request) or prefix != model.metadata.get("targetPrefix"):
        return
    if name not in model.operation_names:
        raise UncertainRequestError(f"{prefix} has no operation {name}")
    shape = model.operation_model(name).input_shape
    _check_members(name, _list_json_members(request), shape.members if shape else ())
    yield 0, name


def _read_cbor(model: ServiceModel, request: SentRequest) -> Iterator[tuple[Any, str]]:
    place = re.fullmatch(r"/service/[^/]+/operation/(\w+)", request.path)
    is_alone = request.method == "POST" and not _list_query(request) and "x-amz-target" not in request.headers
    if place and is_alone and "cbor" in request.headers.get("smithy-protocol", "") and not _is_form(request):
        if place[1] not in model.operation_names:
            raise UncertainRequestError(f"{model.service_name} has no operation {place[1]}")
        yield 0, place[1]


def _read_query(model: ServiceModel, request: SentRequest) -> Iterator[tuple[Any, str]]:
    if request.path != "/" or "x-amz-target" in request.headers:
        return
    pairs = [(name, value) for name, values in _list_query(request).items() for value in values]
    if _is_form(request):
        pairs += parse_qsl(_read_body(request).decode("utf-8", "replace"), keep_blank_values=True)
    elif request.body:
        return
    given = dict(pairs)
    name = given.get("Action")
    if not name:
        return
    if len(given) < len(pairs):
        raise UncertainRequestError(f"a parameter of {name} occurs twice")
    if name not in model.operation_names:
        raise UncertainRequestError(f"{model.service_name} has no operation {name}")
    # The models of services that have left this protocol do not have its names any more.
    if "query" in model.metadata.get("protocols", ()) or model.metadata["protocol"] in ("query", "ec2"):
        members = set(_list_query_names(model.operation_model(name).input_shape))
        _check_members(name, {key.partition(".")[0] for key in given}, {*members, "Action", "Version"})
    yield 0, name


def _list_query_names(shape: StructureShape | None) -> Iterator[str]:
    for member, inner in shape.members.items() if shape else ():
        name = str(inner.serialization.get("name", member))
        yield from (name, member, name[:1].upper() + name[1:], str(inner.serialization.get("queryName", name)))
        if inner.type_name == "list":
            yield str(inner.member.serialization.get("name", name))


def _read_rest(model: ServiceModel, request: SentRequest) -> Iterator[tuple[Any, str]]:
    if "x-amz-target" in request.headers or _is_form(request):
        return
    given = _list_query(request)
    if _is_for_object_lambda(request):
        given = {name: values for name, values in given.items() if name in _list_reserved(model)}
    if any(len(values) > 1 for name, values in given.items() if name not in _list_multiples(model)):
        raise UncertainRequestError("a parameter of the query occurs twice")
    paths = _Paths(request, model.service_name)
    for route in _list_routes(model):
        if route.matches(request, given, paths):
            route.check_body(request)
            yield route.rank, route.operation.name


class _Paths:
    """The path of a request as operations see it: S3's with the bucket that is named before the host."""

    def __init__(self, request: SentRequest, service: str) -> None:
        self.sent = request.path
        self.whole = request.path
        before = _BELOW_HOST.fullmatch(request.headers.get("host", "").lower())
        if service == "s3" and before and not _ENDPOINT_OF_S3.fullmatch(before["name"]):
            self.whole = f"/{before['name']}{request.path}"


class _Route:
    """How an operation is written as a path, a query and headers."""

    def __init__(self, operation: OperationModel) -> None:
        self.operation = operation
        self._shape: Any = operation.input_shape
        members: Mapping[str, Shape] = self._shape.members if self._shape else {}
        path, _, query = operation.http["requestUri"].partition("?")
        fixed = [part.partition("=")[::2] for part in query.split("&") if part and not part.startswith("x-id=")]
        self._fixed = {name: value for name, value in fixed if not value.startswith("{")}
        self._path = re.compile(_write_path(path.rstrip("/")) + "/?")
        queried = {n: m for n, m in members.items() if _is_at(m, "querystring")}
        self._is_open = any(m.type_name == "map" for m in queried.values())
        # A map's members are parameters of any name, and the map itself has none.
        self._query = {m.serialization["name"]: n for n, m in queried.items() if "name" in m.serialization}
        needed: Iterable[str] = self._shape.required_members if self._shape else ()
        self._needed = {name for name, member in self._query.items() if member in needed}
        self._headers = {members[n].serialization["name"].lower() for n in needed if _is_at(members[n], "header")}
        # A browser's session or a list of another kind of bucket has the path of a plain one.
        is_plain = not operation.deprecated and "x-id=List" not in query
        literals = sum(1 for part in path.split("/") if part and "{" not in part)
        self.rank = (literals, len(self._fixed), len(self._needed), len(self._headers), is_plain)

    def matches(self, request: SentRequest, given: Mapping[str, list[str]], paths: _Paths) -> bool:
        """Whether a request is written as this operation is, and as nothing besides."""
        if request.method != self.operation.http["method"]:
            return False
        found = self._path.fullmatch(paths.sent if self.operation.endpoint else paths.whole)
        if not found or not all(map(self._is_label, found.groups())):
            return False
        if any(given.get(name, [None])[0] != value for name, value in self._fixed.items()):
            return False
        further = given.keys() - self._fixed.keys() - {"x-id"}
        is_named = given.get("x-id", [self.operation.name]) == [self.operation.name]
        is_allowed = self._is_open or further <= self._query.keys()
        return is_named and is_allowed and further >= self._needed and self._headers <= request.headers.keys()

    def list_names(self) -> Iterable[str]:
        """What may be in the query."""
        return (*self._fixed, *self._query)

    def check_body(self, request: SentRequest) -> None:
        """Refuse members that the operation does not have, or that occur twice.

        Raises:
            UncertainRequestError: If there are any.
        """
        payload = self._shape.serialization.get("payload") if self._shape else None
        if self.operation.name == "DeleteObjects":
            _check_deleted(request.body)
        if self.operation.service_model.metadata["protocol"] == "rest-json" and not payload:
            members = self._shape.members if self._shape else {}
            own = {m.serialization.get("name", n) for n, m in members.items() if not m.serialization.get("location")}
            _check_members(self.operation.name, _list_json_members(request), own)

    def _is_label(self, value: str) -> bool:
        # What a service reads behind an encoded slash would be another path.
        return "/" not in unquote(value) or "+" in self.operation.http["requestUri"] or value.lower().startswith("arn")


def _check_deleted(body: bytes) -> None:
    """One key and one version for each object that is to be deleted, as all that there is may be the one that is."""
    try:
        entries = list(fromstring(body))
    except (ParseError, ValueError):
        raise UncertainRequestError("the list of objects to be deleted is not XML") from None
    for entry in entries:
        names = [child.tag for child in entry]
        if len(set(names)) < len(names):
            raise UncertainRequestError("an object that is to be deleted has two keys or versions")


def _write_path(path: str) -> str:
    written, end = "", 0
    for label in _LABEL.finditer(path):
        written += re.escape(path[end : label.start()]) + ("(.+)" if label[2] else "([^/]+)")
        end = label.end()
    return written + re.escape(path[end:])


def _is_at(member: Shape, location: str) -> bool:
    return bool(member.serialization.get("location") == location)


@cache
def _list_routes(model: ServiceModel) -> tuple[_Route, ...]:
    return tuple(_Route(model.operation_model(name)) for name in model.operation_names)


def _is_for_object_lambda(request: SentRequest) -> bool:
    """Whether a request goes through an access point whose function may be given parameters of its own."""
    before = request.headers.get("host", "").partition(".")[0]
    bucket = request.path.split("/")[1]
    return find_service(request) == "s3-object-lambda" or before.endswith("--ol-s3") or bucket.endswith("--ol-s3")


@cache
def _list_reserved(model: ServiceModel) -> frozenset[str]:
    """The names in queries that make one operation another, or limit it."""
    names = (name for route in _list_routes(model) for name in route.list_names())
    return frozenset({*names, "Action", "x-id"})


@cache
def _list_multiples(model: ServiceModel) -> frozenset[str]:
    shapes = (model.operation_model(name).input_shape for name in model.operation_names)
    members = (member for shape in shapes if shape for member in shape.members.values())
    queried = (member for member in members if _is_at(member, "querystring"))
    return frozenset(member.serialization["name"] for member in queried if member.type_name == "list")


def _list_query(request: SentRequest) -> dict[str, list[str]]:
    """The query without what signs it."""
    is_older = "AWSAccessKeyId" in request.query
    return {
        name: values
        for name, values in request.query.items()
        if not name.lower().startswith("x-amz-") and not (is_older and name in _OLDER_SIGNATURE)
    }


def _is_form(request: SentRequest) -> bool:
    return "x-www-form-urlencoded" in request.headers.get("content-type", "")


def _list_json_members(request: SentRequest) -> Iterable[str]:
    def keep(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise UncertainRequestError("a member of the request occurs twice")
        return dict(pairs)

    try:
        read = json.loads(_read_body(request) or b"{}", object_pairs_hook=keep)
    except (ValueError, RecursionError):
        # What is not JSON holds no parameters; the service says so.
        return ()
    return read if isinstance(read, dict) else ()


def _read_body(request: SentRequest) -> bytes:
    """The body, which clients of some services compress."""
    encoding = request.headers.get("content-encoding", "")
    if not encoding:
        return request.body
    try:
        if encoding == "gzip":
            with gzip.open(io.BytesIO(request.body)) as packed:
                body = packed.read(_MOST_UNPACKED_BYTES + 1)
            if len(body) > _MOST_UNPACKED_BYTES:
                raise UncertainRequestError(f"the body unpacks to more than {_MOST_UNPACKED_BYTES >> 20} MiB")
            return body
    except (OSError, EOFError, zlib.error):
        pass
    raise UncertainRequestError(f"the body of the request is not encoded as {encoding}")


def _check_members(operation: str, given: Iterable[str], members: Iterable[str]) -> None:
    if foreign := sorted(set(given) - set(members)):
        raise UncertainRequestError(f"{operation} has no parameter {foreign[0]}")


_READERS: Final[Mapping[str, Callable[[ServiceModel, SentRequest], Iterator[tuple[Any, str]]]]] = {
    "json": _read_json,
    "smithy-rpc-v2-cbor": _read_cbor,
    "query": _read_query,
    "ec2": _read_query,
    "rest-json": _read_rest,
    "rest-xml": _read_rest,
}
