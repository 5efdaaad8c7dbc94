"""FSx's API, as far as FSx for Lustre file systems are made, looked at and deleted with it.

https://docs.aws.amazon.com/fsx/latest/APIReference/API_Operations.html
"""

import math
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from headrace.inventory.charges import charge_fsx
from headrace.inventory.items import Item, Maker
from headrace.local.clock import CLOCK
from headrace.local.engine.access.needs import Need
from headrace.local.engine.cloud import ACCOUNT, REGION
from headrace.local.engine.file_systems import FileSystem, FileSystems
from headrace.local.engine.refusals import ServiceRefusedError
from headrace.local.engine.resources import FSX_FILE_SYSTEM
from headrace.local.sagemaker.errors import RequestRefusedError
from headrace.local.sagemaker.validation import load_service_model, validate_request
from headrace.local.usage import SECONDS_PER_MONTH, Key

SERVICE: Final = "fsx"
# On AWS both take minutes.
CREATING_SECONDS: Final = 120.0
DELETING_SECONDS: Final = 60.0
_MOST_A_PAGE: Final = 100
_ROLES: Final = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role"
_S3_SERVICE: Final = "s3.data-source.lustre.fsx.amazonaws.com"
# What a description repeats of the request.
_REPEATED: Final = ("FileSystemType", "FileSystemTypeVersion", "StorageCapacity", "SubnetIds", "Tags")


@dataclass
class Made:
    """A file system that a request has made.

    Args:
        system: The file system.
        token: The request's, by which it is known when it comes again.
        ready_at: When it is available, on the clock of what waits.
        gone_at: When it is gone, once it is being deleted.
    """

    system: FileSystem
    token: str
    ready_at: float
    gone_at: float = math.inf


class Lustre:
    """The FSx for Lustre file systems of the account, those of templates and those that requests have made.

    Args:
        systems: What they are here.
        read_clock: The time on the clock of what waits, in seconds.
    """

    def __init__(self, systems: FileSystems, read_clock: Callable[[], float] = CLOCK.read_waits) -> None:
        self._systems = systems
        self._read_clock = read_clock
        self._lock = threading.RLock()
        self._made: dict[str, Made] = {}
        self._operations = {
            "CreateFileSystem": self._create,
            "DeleteFileSystem": self._delete,
            "DescribeFileSystems": self._describe,
            "ListTagsForResource": self._list_tags,
        }

    def answer(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """What an operation answers.

        Raises:
            ServiceRefusedError: If it is refused.
        """
        if operation not in self._operations:
            raise ServiceRefusedError("UnknownOperationException", f"The local cloud's FSx has no {operation}.")
        try:
            validate_request(load_service_model(SERVICE).operation_model(operation).input_shape, request)
        except RequestRefusedError as error:
            raise ServiceRefusedError("BadRequest", error.message) from None
        with self._lock:
            return self._operations[operation](request)

    def list_tags(self) -> Iterator[tuple[str, list[dict[str, str]]]]:
        """The tags of each file system, by its ARN."""
        for system in self._list():
            yield name_arn(system.id), list(system.properties.get("Tags", ()))

    def read_rates(self) -> dict[Key, float]:
        """What file systems that are available use a second: https://aws.amazon.com/fsx/lustre/pricing/."""
        rates: dict[Key, float] = {}
        for system in self._list():
            if self._find_lifecycle(system.id) != "AVAILABLE":
                continue
            item = Item(kind=FSX_FILE_SYSTEM, name=system.id, maker=Maker.RUN, properties=system.properties)
            for charge in charge_fsx(item):
                rates[charge.price, f"file system {system.id}"] = charge.quantity / SECONDS_PER_MONTH
        return rates

    def _list(self) -> list[FileSystem]:
        """Those that there are, also those that are being deleted."""
        with self._lock:
            now = self._read_clock()
            self._made = {name: made for name, made in self._made.items() if made.gone_at > now}
            there = {name: made.system for name, made in self._made.items()}
        return list({**self._systems.list_lustre(), **there}.values())

    def _find_lifecycle(self, name: str) -> str:
        made = self._made.get(name)
        if made and made.gone_at < math.inf:
            return "DELETING"
        return "CREATING" if made and made.ready_at > self._read_clock() else "AVAILABLE"

    def _create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        token = request.get("ClientRequestToken", "")
        if before := next((made for made in self._made.values() if token and made.token == token), None):
            if before.system.properties != request:
                raise ServiceRefusedError(
                    "IncompatibleParameterError", f"The token {token} was used for another request."
                )
            return {"FileSystem": self._render(before.system)}
        name = f"fs-0{secrets.token_hex(8)}"
        try:
            self._systems.add_lustre(name, request)
        except ValueError as error:
            raise ServiceRefusedError("BadRequest", str(error)) from None
        system = self._systems.list_lustre()[name]
        self._made[name] = Made(system, token, self._read_clock() + CREATING_SECONDS)
        return {"FileSystem": self._render(system)}

    def _describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        systems = {system.id: system for system in self._list()}
        names = request.get("FileSystemIds") or list(systems)
        for name in names:
            _check_there(systems, name)
        begin, most = int(request.get("NextToken", "0")), request.get("MaxResults", _MOST_A_PAGE)
        page = [self._render(systems[name]) for name in names[begin : begin + most]]
        end = begin + most
        return {"FileSystems": page, **({"NextToken": str(end)} if end < len(names) else {})}

    def _delete(self, request: Mapping[str, Any]) -> dict[str, Any]:
        name = request["FileSystemId"]
        systems = {system.id: system for system in self._list()}
        _check_there(systems, name)
        made = self._made.setdefault(name, Made(systems[name], "", 0.0))
        if made.gone_at == math.inf:
            made.gone_at = self._read_clock() + DELETING_SECONDS
            self._systems.remove(name)
        return {"FileSystemId": name, "Lifecycle": "DELETING"}

    def _list_tags(self, request: Mapping[str, Any]) -> dict[str, Any]:
        tags = dict(self.list_tags())
        if request["ResourceARN"] not in tags:
            raise ServiceRefusedError("ResourceNotFound", f"There is no resource {request['ResourceARN']}.")
        return {"Tags": tags[request["ResourceARN"]]}

    def _render(self, system: FileSystem) -> dict[str, Any]:
        properties = system.properties
        lustre = properties.get("LustreConfiguration", {})
        repository = {
            "Lifecycle": "AVAILABLE",
            "AutoImportPolicy": lustre.get("AutoImportPolicy", "NONE"),
            "ImportPath": lustre.get("ImportPath", ""),
        }
        return {
            **{key: properties[key] for key in _REPEATED if key in properties},
            "OwnerId": ACCOUNT,
            "CreationTime": system.made.timestamp(),
            "FileSystemId": system.id,
            "Lifecycle": self._find_lifecycle(system.id),
            "StorageType": properties.get("StorageType", "SSD"),
            "DNSName": f"{system.id}.fsx.{REGION}.amazonaws.com",
            "ResourceARN": name_arn(system.id),
            "LustreConfiguration": {
                "DeploymentType": lustre.get("DeploymentType", "SCRATCH_1"),
                "MountName": system.mount_name,
                "DataCompressionType": lustre.get("DataCompressionType", "NONE"),
                **({"DataRepositoryConfiguration": repository} if repository["ImportPath"] else {}),
            },
        }


def list_lustre_needs(operation: str, request: Mapping[str, Any]) -> Iterator[Need]:
    """What a caller must be allowed.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonfsx.html, and for a linked bucket
    https://docs.aws.amazon.com/fsx/latest/LustreGuide/setting-up.html#fsx-adding-permissions-s3
    """
    if operation == "CreateFileSystem":
        yield Need(action="fsx:CreateFileSystem", resource=name_arn("new"), context=_describe_tags(request))
        yield _need_role("fsx.amazonaws.com", "AWSServiceRoleForAmazonFSx", "CreateServiceLinkedRole")
        if path := request.get("LustreConfiguration", {}).get("ImportPath"):
            for action in ("CreateServiceLinkedRole", "AttachRolePolicy", "PutRolePolicy"):
                yield _need_role(_S3_SERVICE, "AWSServiceRoleForFSxS3Access_fs-new", action)
            bucket = path.removeprefix("s3://").partition("/")[0]
            context = {"s3:ResourceAccount": ACCOUNT}
            yield Need(action="s3:ListBucket", resource=f"arn:aws:s3:::{bucket}", context=context)
    elif "FileSystemId" in request:
        yield Need(action=f"fsx:{operation}", resource=name_arn(request["FileSystemId"]))
    else:
        yield Need(action=f"fsx:{operation}", resource=request.get("ResourceARN", "*"))


def name_arn(name: str) -> str:
    """The ARN of a file system."""
    return f"arn:aws:fsx:{REGION}:{ACCOUNT}:file-system/{name}"


def _check_there(systems: Mapping[str, FileSystem], name: str) -> None:
    if name not in systems:
        raise ServiceRefusedError("FileSystemNotFound", f"There is no file system {name}.")


def _describe_tags(request: Mapping[str, Any]) -> dict[str, Any]:
    tags = {tag["Key"]: tag["Value"] for tag in request.get("Tags", ())}
    given: dict[str, Any] = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    return {**given, "aws:TagKeys": list(tags)} if tags else {}


def _need_role(service: str, role: str, action: str) -> Need:
    context = {"iam:AWSServiceName": service} if action == "CreateServiceLinkedRole" else {}
    return Need(action=f"iam:{action}", resource=f"{_ROLES}/{service}/{role}", context=context)
