"""What headrace uses of how the engine leads requests is still there and still works as assumed."""

import asyncio
import importlib
import inspect
import json
from typing import Any
from unittest.mock import Mock
from urllib.parse import parse_qs, urlsplit

import pytest

from headrace.local.engine.ministack import quotas, registry, routing
from headrace.local.limits import Limits
from headrace.quotas import CONCURRENT_EXECUTIONS
from tests.headrace.local.engine.sent_requests import connect


def test_routes_requests_by_tables_that_can_be_added_to(app: Any) -> None:
    router = importlib.import_module("ministack.core.router")

    assert not {"sagemaker", "application-autoscaling", "fsx", "servicequotas"} & {
        *app.SERVICE_REGISTRY,
        *app.SERVICE_NAME_ALIASES,
    }
    assert set(router.SERVICE_PATTERNS["ecr"]) == {"target_prefixes", "host_patterns", "credential_scope"}


def test_routes_sagemakers_requests_once_its_pattern_is_added(monkeypatch: pytest.MonkeyPatch) -> None:
    router = importlib.import_module("ministack.core.router")
    monkeypatch.setitem(router.SERVICE_PATTERNS, "sagemaker", {"target_prefixes": ["SageMaker."]})
    scope = "AWS4-HMAC-SHA256 Credential=test/20261120/us-east-1/sagemaker/aws4_request, SignedHeaders=host"

    control = router.detect_service("POST", "/", {"x-amz-target": "SageMaker.ListModels", "authorization": scope}, {})
    runtime = router.detect_service("POST", "/endpoints/x/invocations", {"authorization": scope}, {})

    assert (control, runtime) == ("sagemaker", "sagemaker")


@pytest.mark.parametrize("find", ["expected_error_content_type", "expected_success_content_type"])
def test_leaves_the_type_of_a_containers_answer(app: Any, monkeypatch: pytest.MonkeyPatch, find: str) -> None:
    responses: Any = importlib.import_module("ministack.core.responses")
    router: Any = importlib.import_module("ministack.core.router")
    monkeypatch.setattr(responses, "_expected_envelope_content_type", responses._expected_envelope_content_type)
    monkeypatch.setitem(router.SERVICE_PATTERNS, "sagemaker", {})
    monkeypatch.setitem(app.SERVICE_HANDLERS, "sagemaker", None)
    before = getattr(responses, find)("sagemaker", "application/json")

    routing.install_requests(Mock())

    assert before == "application/x-amz-json-1.1"
    assert getattr(responses, find)("sagemaker", "application/json") is None
    assert getattr(responses, find)("states", "application/json") == "application/x-amz-json-1.0"


def test_takes_a_name_before_the_address_as_one_before_localhost(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "_extract_s3_vhost_bucket", app._extract_s3_vhost_bucket)
    monkeypatch.setattr(app, "_MINISTACK_HOST", "localhost")
    routing.install_names_below_address()

    assert app._extract_s3_vhost_bucket("training-000000000000.127.0.0.1:4566") == "training-000000000000"
    assert app._extract_s3_vhost_bucket("raw.localhost:4566") == "raw"
    assert app._extract_s3_vhost_bucket("127.0.0.1:4566") is None


def call_engine(app: Any, headers: dict[str, str], body: bytes = b"") -> tuple[int, dict[str, str], bytes]:
    answer: tuple[int, dict[str, str], bytes] = asyncio.run(
        app._dispatch_service_request("POST", "/", headers, body, {}, "id")
    )
    return answer


@pytest.mark.slow
def test_says_which_service_is_not_served(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "_dispatch_service_request", app._dispatch_service_request)
    routing.install_refusals()
    signed = {"authorization": "AWS4-HMAC-SHA256 Credential=AKIA/20261128/us-east-1/ce/aws4_request, SignedHeaders=a"}

    status, _, body = call_engine(app, {**signed, "x-amz-target": "AWSInsightsIndexService.GetCostAndUsage"})

    assert status == 400
    assert json.loads(body)["message"].startswith("The local cloud does not serve ce. It serves: account, acm,")


def test_tells_the_service_of_a_request_in_one_place(app: Any) -> None:
    assert list(inspect.signature(app.detect_service).parameters) == ["method", "path", "headers", "query_params"]
    assert "detect_service" in app._dispatch_service_request.__code__.co_names
    assert app.detect_service("POST", "/raw/a", {}, {"Action": ["CreateUser"], "uploads": [""]}) == "iam"


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_leads_an_address_presigned_for_s3_to_s3_whatever_is_sent_to_it(
    app: Any, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    monkeypatch.setattr(app, "detect_service", app.detect_service)
    routing.install_presigned_addresses()
    upload = {"Bucket": "raw", "Key": "a"}
    url = connect("s3", signature_version=version).generate_presigned_url("create_multipart_upload", upload)
    query = parse_qs(urlsplit(url).query, keep_blank_values=True)

    assert app.detect_service("POST", "/raw/a", {}, {"Action": ["CreateUser"], **query}) == "s3"
    assert app.detect_service("POST", "/", {}, {"Action": ["CreateUser"]}) == "iam"


def test_gives_a_reason_where_the_engine_gives_none(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def silent(*_: object) -> tuple[int, dict[str, str], bytes]:
        return 400, {}, b'{"error": "no"}'

    monkeypatch.setattr(app, "_dispatch_service_request", silent)
    routing.install_refusals()
    target = {"x-amz-target": "AWSStepFunctions.Unknown"}

    _, _, body = call_engine(app, target)

    assert json.loads(body)["message"] == """states of the local cloud gave no reason: b'{"error": "no"}'"""


def test_says_which_container_image_ecr_does_not_have(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ecr = importlib.import_module("ministack.services.ecr")
    monkeypatch.setattr(ecr, "_describe_images", ecr._describe_images)
    registry.install_registry()

    def ask(operation: str, **request: Any) -> tuple[int, str]:
        target = {"x-amz-target": f"AmazonEC2ContainerRegistry_V20150921.{operation}"}
        status, _, body = call_engine(app, target, json.dumps(request).encode())
        return status, json.loads(body).get("__type", "")

    repository = {"repositoryName": "training"}
    image = {**repository, "imageIds": [{"imageTag": "1"}]}
    assert ask("DescribeImages", **image) == (400, "RepositoryNotFoundException")
    assert ask("CreateRepository", **repository)[0] == 200
    assert ask("DescribeImages", **image) == (400, "ImageNotFoundException")
    assert ask("PutImage", **repository, imageTag="1", imageManifest="{}")[0] == 200
    assert ask("DescribeImages", **image) == (200, "")
    assert ask("DescribeImages", **repository) == (200, "")


def test_says_where_ec2_has_instances_and_what_lambda_serves_at_once(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    ec2 = importlib.import_module("ministack.services.ec2")
    functions = importlib.import_module("ministack.services.lambda_svc")
    router = importlib.import_module("ministack.core.router")
    actions = importlib.import_module("ministack.core.iam_actions")
    for table in (app.SERVICE_HANDLERS, router.SERVICE_PATTERNS, actions.SERVICE_TO_IAM_NAMESPACE):
        monkeypatch.delitem(table, quotas.SERVICE, raising=False)
    monkeypatch.setattr(functions, "_get_account_settings", functions._get_account_settings)
    assert "DescribeInstanceTypeOfferings" not in ec2._ACTION_MAP
    monkeypatch.setitem(ec2._ACTION_MAP, "DescribeInstanceTypeOfferings", None)
    quotas.install_quotas(Limits({CONCURRENT_EXECUTIONS: 7}, "ap-south-2"))

    def ask(*types: str) -> tuple[int, str]:
        filters = {f"Filter.1.Value.{number}": [kind] for number, kind in enumerate(types, 1)}
        request = {"LocationType": ["availability-zone"], "Filter.1.Name": ["instance-type"], **filters}
        status, _, body = ec2._ACTION_MAP["DescribeInstanceTypeOfferings"](request)
        return status, body.decode()

    status, offers = ask("m5.large", "g5.xlarge")
    assert (status, offers.count("m5.large"), offers.count("g5.xlarge")) == (200, 3, 0)
    assert ask()[0] == 400
    settings = json.loads(functions._get_account_settings()[2])["AccountLimit"]
    assert (settings["ConcurrentExecutions"], settings["UnreservedConcurrentExecutions"]) == (7, 7)
