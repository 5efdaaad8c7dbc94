"""An account in which an execution has failed, behind real clients."""

import hashlib
import io
import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from types import SimpleNamespace
from typing import Any, Final

import boto3

MACHINE: Final = "headrace-dev-bigmart"
EXECUTION: Final = f"arn:aws:states:eu-west-1:123456789012:execution:{MACHINE}:run-1"
ARN: Final = "arn:aws:sagemaker:eu-west-1:123456789012"
OURS: Final = {"headrace:execution": "run-1"}
# The members that name a kind of resource, and what its ARNs call it.
RESOURCES: Final = {
    "TrainingJob": "training-job",
    "ProcessingJob": "processing-job",
    "TransformJob": "transform-job",
    "EndpointConfig": "endpoint-config",
    "Endpoint": "endpoint",
    "Model": "model",
}


@cache
def _share_client(service: str) -> tuple[Any, list["Account"]]:
    """A client that is made once for all tests, which takes longer than most of them, and the account that it asks."""
    asked: list[Account] = []
    client = boto3.client(service, region_name="eu-west-1", aws_access_key_id="key", aws_secret_access_key="secret")
    client.meta.events.register("before-parameter-build", _keep_parameters)
    client.meta.events.register("before-call", lambda **call: asked[0].answer(**call))
    return client, asked


def _keep_parameters(params: Any, context: Any, **_: Any) -> None:
    context["given"] = dict(params)


class Account:
    """What an account has, and what was done in it; each operation in `refused` is denied."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = [{"id": 1, "type": "ExecutionStarted"}]
        self.found: dict[tuple[str, str], dict[str, Any]] = {}
        self.tags: dict[str, Mapping[str, str]] = {}
        self.objects: dict[str, str] = {}
        self.file_systems: list[dict[str, Any]] = []
        self.redriven: datetime | None = None
        self.refused: set[str] = set()
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.notices: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []

    def client(self, service: str) -> Any:
        """A client of a service, which asks this account until another one gives it."""
        client, asked = _share_client(service)
        asked[:] = [self]
        return client

    def ask(self, kind: str, name: str, *, tags: Mapping[str, str] = OURS, **described: Any) -> None:
        """A task has created a resource, which is then there."""
        self.request(f"create{kind}", {f"{kind}Name": name})
        self.add(kind, name, tags=tags, **described)

    def add(self, kind: str, name: str, *, tags: Mapping[str, str] = OURS, **described: Any) -> None:
        """There is a resource that no task has asked for."""
        arn = f"{ARN}:{RESOURCES[kind]}/{name}"
        self.tags[arn] = tags
        status = {} if kind in ("EndpointConfig", "Model") else {f"{kind}Status": "InProgress"}
        self.found[kind, name] = {f"{kind}Name": name, f"{kind}Arn": arn, **status, **described}

    def request(
        self,
        operation: str,
        arguments: Mapping[str, Any],
        result: Mapping[str, Any] | None = None,
        service: str = "sagemaker",
    ) -> None:
        """A task has asked for something, and has had a result unless there is none."""
        first = len(self.events) + 1
        details = {"resource": operation, "resourceType": service, "parameters": json.dumps(arguments)}
        self.events += [
            {"id": first, "type": "TaskScheduled", "taskScheduledEventDetails": details},
            {"id": first + 1, "previousEventId": first, "type": "TaskStarted"},
        ]
        if result is not None:
            output = {"output": json.dumps(result)}
            self.events.append(
                {
                    "id": first + 2,
                    "previousEventId": first + 1,
                    "type": "TaskSucceeded",
                    "taskSucceededEventDetails": output,
                }
            )

    def enter(self, state: str) -> None:
        """The execution has come to a state."""
        details = {"stateEnteredEventDetails": {"name": state}}
        self.events.append({"id": len(self.events) + 1, "type": "TaskStateEntered", **details})

    def list_done(self, verb: str) -> list[str]:
        """The names of what was stopped or deleted, in order."""
        return [
            next(value for key, value in given.items() if key.endswith("Name"))
            for operation, given in self.calls
            if operation.startswith(verb) and operation != "DeleteObject"
        ]

    def _tag(self, key: str) -> str:
        return hashlib.md5(self.objects[key].encode(), usedforsecurity=False).hexdigest()

    def answer(self, model: Any, params: Any, context: Any, **_: Any) -> Any:
        """What the account says to a request."""
        operation, given = model.name, context["given"]
        if operation == "DeleteObject" and params["headers"]["If-Match"] != self._tag(given["Key"]):
            return _refuse("PreconditionFailed", "It is another object by now.")
        if operation in self.refused:
            return _refuse("AccessDeniedException", f"not authorized to perform {operation}")
        try:
            return SimpleNamespace(status_code=200), self._do(operation, given)
        except KeyError:
            code = "NoSuchKey" if operation == "GetObject" else "ValidationException"
            return _refuse(code, "Could not find it.")

    def _do(self, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        if operation == "GetExecutionHistory":
            return {"events": self.events}
        if operation == "DescribeExecution":
            return {"redriveDate": self.redriven} if self.redriven else {}
        if operation == "ListTags":
            return {"Tags": [{"Key": key, "Value": value} for key, value in self.tags[given["ResourceArn"]].items()]}
        if operation == "PutEvents":
            self.notices += [json.loads(entry["Detail"]) for entry in given["Entries"]]
            return {"FailedEntryCount": 0}
        if operation == "Publish":
            self.messages.append(given)
            return {}
        return self._use(operation, given)

    def _use(self, operation: str, given: dict[str, Any]) -> dict[str, Any]:
        """Look at, stop or delete one thing."""
        if operation == "GetObject":
            return {"Body": io.BytesIO(self.objects[given["Key"]].encode()), "ETag": self._tag(given["Key"])}
        if operation == "ListObjectsV2":
            return {"Contents": [{"Key": key} for key in self.objects if key.startswith(given["Prefix"])]}
        if operation == "DescribeFileSystems":
            return {"FileSystems": self.file_systems}
        if operation == "DeleteFileSystem":
            self.file_systems = [each for each in self.file_systems if each["FileSystemId"] != given["FileSystemId"]]
            return {}
        verb, kind = next((verb, operation.removeprefix(verb)) for verb in _VERBS if operation.startswith(verb))
        if kind == "Object":
            self.calls.append((operation, given))
            del self.objects[given["Key"]]
            return {}
        found = self.found[kind, given[f"{kind}Name"]]
        if verb == "Describe":
            return found
        self.calls.append((operation, given))
        if verb == "Stop":
            found[f"{kind}Status"] = "Stopped"
        else:
            del self.found[kind, given[f"{kind}Name"]]
        return {}


_VERBS: Final = ("Describe", "Stop", "Delete")


def _refuse(code: str, message: str) -> Any:
    return SimpleNamespace(status_code=400), {"Error": {"Code": code, "Message": message}}
