"""Classifiers and endpoints of the local Comprehend, which learns nothing: it answers what it is given in files.

https://docs.aws.amazon.com/comprehend/latest/dg/how-document-classification.html
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from headrace.local.engine.access.needs import Holder, Need
from headrace.local.engine.cloud import ACCOUNT, REGION
from headrace.local.engine.refusals import ServiceRefusedError

Request = Mapping[str, Any]
CheckRole = Callable[[str, Iterable[Need]], None]

COMPREHEND_PRINCIPAL: Final = "comprehend.amazonaws.com"
DESCRIBE: Final = "DescribeDocumentClassifier"
CLASSIFY: Final = "ClassifyDocument"
_INVALID: Final = "InvalidRequestException"
_MISSING: Final = "ResourceNotFoundException"
_IN_USE: Final = "ResourceInUseException"
_KEPT: Final = ("DataAccessRoleArn", "LanguageCode", "Mode", "VersionName")
_UNFINISHED: Final = ("SUBMITTED", "TRAINING")
_PREFIX: Final = f"arn:aws:comprehend:{REGION}:{ACCOUNT}:"


def name_classifier(request: Request) -> str:
    """The ARN of what a request to make a classifier makes."""
    version = f"/version/{request['VersionName']}" if "VersionName" in request else ""
    return f"{_PREFIX}document-classifier/{request.get('DocumentClassifierName')}{version}"


def name_endpoint(request: Request) -> str:
    """The ARN of what a request to make an endpoint makes."""
    return f"{_PREFIX}document-classifier-endpoint/{request.get('EndpointName')}"


class Classifiers:
    """Classifiers, as far as answers about their training are given, and endpoints of them.

    Args:
        find_training: Finds the answer about a training by the key of its data.
        find_text: Finds the answer about a text.
        s3: The client that training data are looked for with.
        check_role: Sees that Comprehend may be a role, and this what it needs; raises ServiceRefusedError.
    """

    def __init__(
        self,
        find_training: Callable[[str], Mapping[str, Any]],
        find_text: Callable[[str, str], Mapping[str, Any]],
        s3: Any,
        check_role: CheckRole,
    ) -> None:
        self._find_training = find_training
        self._find_text = find_text
        self._s3 = s3
        self._check_role = check_role
        self._lock = threading.Lock()
        self._classifiers: dict[str, dict[str, Any]] = {}
        self._endpoints: dict[str, dict[str, Any]] = {}
        self._tags: dict[str, list[Mapping[str, str]]] = {}
        self.operations: Mapping[str, Callable[[Request], Mapping[str, Any]]] = {
            "CreateDocumentClassifier": self._train,
            DESCRIBE: self._describe,
            "ListDocumentClassifiers": self._list_classifiers,
            "StopTrainingDocumentClassifier": self._stop,
            "DeleteDocumentClassifier": self._delete,
            "CreateEndpoint": self._create_endpoint,
            "DescribeEndpoint": self._describe_endpoint,
            "ListEndpoints": self._list_endpoints,
            "DeleteEndpoint": self._delete_endpoint,
            CLASSIFY: self._classify,
            "ListTagsForResource": self._list_tags,
        }

    def answer(self, operation: str, request: Request) -> Mapping[str, Any]:
        """What one of the operations answers.

        Raises:
            ServiceRefusedError: If it is refused.
        """
        with self._lock:
            return self.operations[operation](request)

    def _train(self, request: Request) -> Mapping[str, Any]:
        arn, data = name_classifier(request), request["InputDataConfig"]
        token = request.get("ClientRequestToken")
        if known := self._classifiers.get(arn):
            if token and known["token"] == token:
                return {"DocumentClassifierArn": arn}
            raise ServiceRefusedError(_IN_USE, f"There is a classifier {arn} already.")
        place = data["S3Uri"] if "S3Uri" in data else data["AugmentedManifests"][0]["S3Uri"]
        bucket, key = urlsplit(place).netloc, urlsplit(place).path.removeprefix("/")
        ours = {"s3:ResourceAccount": ACCOUNT}
        resource = f"arn:aws:s3:::{bucket}/{key}"
        reading = Need(action="s3:GetObject", resource=resource, context=ours, holder=Holder.ROLE)
        self._check_role(request["DataAccessRoleArn"], [reading])
        try:
            self._s3.head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            raise ServiceRefusedError(_INVALID, f"The training data at {place} cannot be read: {error}") from None
        found = self._find_training(key)["DocumentClassifierProperties"]
        asked = {name: request[name] for name in _KEPT if name in request}
        now = time.time()
        times = {"SubmitTime": now} if found["Status"] in _UNFINISHED else {"SubmitTime": now, "EndTime": now}
        self._classifiers[arn] = {"token": token, "is": {**times, **found, **asked, "DocumentClassifierArn": arn}}
        self._tags[arn] = request.get("Tags", [])
        return {"DocumentClassifierArn": arn}

    def _describe(self, request: Request) -> Mapping[str, Any]:
        return {"DocumentClassifierProperties": self._find(request["DocumentClassifierArn"])}

    def _list_classifiers(self, request: Request) -> Mapping[str, Any]:
        name = request.get("Filter", {}).get("DocumentClassifierName")
        found = [each["is"] for arn, each in self._classifiers.items() if not name or f"/{name}/" in f"{arn}/"]
        return {"DocumentClassifierPropertiesList": found}

    def _stop(self, request: Request) -> Mapping[str, Any]:
        self._find(request["DocumentClassifierArn"])["Status"] = "STOPPED"
        return {}

    def _delete(self, request: Request) -> Mapping[str, Any]:
        arn = request["DocumentClassifierArn"]
        self._find(arn)
        if any(endpoint["ModelArn"] == arn for endpoint in self._endpoints.values()):
            raise ServiceRefusedError(_IN_USE, f"An endpoint uses {arn}.")
        del self._classifiers[arn], self._tags[arn]
        return {}

    def _find(self, arn: str) -> dict[str, Any]:
        if arn not in self._classifiers:
            raise ServiceRefusedError(_MISSING, f"There is no classifier {arn}.")
        found: dict[str, Any] = self._classifiers[arn]["is"]
        return found

    def _create_endpoint(self, request: Request) -> Mapping[str, Any]:
        arn, model = name_endpoint(request), self._find(request["ModelArn"])
        if not str(model["Status"]).startswith("TRAINED"):
            raise ServiceRefusedError("ResourceUnavailableException", f"The classifier is {model['Status']}.")
        if arn not in self._endpoints:
            units = request["DesiredInferenceUnits"]
            self._endpoints[arn] = {
                "EndpointArn": arn,
                "Status": "IN_SERVICE",
                "ModelArn": request["ModelArn"],
                "DesiredInferenceUnits": units,
                "CurrentInferenceUnits": units,
            }
            self._tags[arn] = request.get("Tags", [])
        return {"EndpointArn": arn, "ModelArn": request["ModelArn"]}

    def _describe_endpoint(self, request: Request) -> Mapping[str, Any]:
        return {"EndpointProperties": self._find_endpoint(request["EndpointArn"], _MISSING)}

    def _list_endpoints(self, _request: Request) -> Mapping[str, Any]:
        return {"EndpointPropertiesList": list(self._endpoints.values())}

    def _delete_endpoint(self, request: Request) -> Mapping[str, Any]:
        arn = self._find_endpoint(request["EndpointArn"], _MISSING)["EndpointArn"]
        del self._endpoints[arn], self._tags[arn]
        return {}

    def _find_endpoint(self, arn: str, code: str) -> Mapping[str, Any]:
        if arn not in self._endpoints:
            raise ServiceRefusedError(code, f"There is no endpoint {arn}.")
        return self._endpoints[arn]

    def _classify(self, request: Request) -> Mapping[str, Any]:
        self._find_endpoint(request["EndpointArn"], _INVALID)
        return self._find_text(CLASSIFY, request["Text"])

    def _list_tags(self, request: Request) -> Mapping[str, Any]:
        arn = request["ResourceArn"]
        if arn not in self._tags:
            raise ServiceRefusedError(_MISSING, f"There is no resource {arn}.")
        return {"ResourceArn": arn, "Tags": self._tags[arn]}


def list_needs(operation: str, request: Request) -> Iterator[Need]:
    """What a caller must be allowed, on the resources that IAM knows for an operation.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_comprehend.html
    """
    action = f"comprehend:{operation}"
    if operation == "CreateDocumentClassifier":
        resources = [name_classifier(request)]
    elif operation == "CreateEndpoint":
        resources = [name_endpoint(request), *([request["ModelArn"]] if "ModelArn" in request else [])]
    else:
        named = ("DocumentClassifierArn", "EndpointArn", "ResourceArn")
        resources = [request[name] for name in named if name in request] or ["*"]
    yield from (Need(action=action, resource=resource) for resource in resources)
    if request.get("Tags"):
        yield Need(action="comprehend:TagResource", resource=resources[0])
    if role := request.get("DataAccessRoleArn"):
        yield Need(action="iam:PassRole", resource=role, context={"iam:PassedToService": COMPREHEND_PRINCIPAL})
