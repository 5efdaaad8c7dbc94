"""The API as boto3 sees it, over a real loopback connection."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.headrace.local.sagemaker.cloud import (
    ROLE,
    SERVE,
    Cloud,
    await_status,
    make_config,
    processing_request,
    training_request,
)

pytestmark = pytest.mark.slow

QUICK = {"Delay": 0.02, "MaxAttempts": 500}


@pytest.fixture
def url(cloud: Cloud) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, content = cloud.sagemaker.handle_http("POST", self.path, dict(self.headers), body)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def connect(service: str, url: str) -> Iterator[Any]:
    client = boto3.Session().client(
        service,
        endpoint_url=url,
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    yield client
    client.close()


@pytest.fixture
def client(url: str) -> Iterator[Any]:
    yield from connect("sagemaker", url)


@pytest.fixture
def runtime(url: str) -> Iterator[Any]:
    yield from connect("sagemaker-runtime", url)


def create_endpoint(cloud: Cloud, client: Any, program: str = SERVE) -> None:
    make_config(cloud, "first", cloud.push_image(program))
    client.create_endpoint(EndpointName="endpoint", EndpointConfigName="first")


def test_waiter_for_training_jobs_ends(cloud: Cloud, client: Any) -> None:
    client.create_training_job(**training_request(cloud.push_image("pass")))

    client.get_waiter("training_job_completed_or_stopped").wait(TrainingJobName="job", WaiterConfig=QUICK)

    job = client.describe_training_job(TrainingJobName="job")
    assert job["TrainingJobStatus"] == "Completed"
    assert job["CreationTime"] <= job["TrainingEndTime"]


def test_waiter_for_processing_jobs_ends(cloud: Cloud, client: Any) -> None:
    client.create_processing_job(**processing_request(cloud.push_image("pass")))

    client.get_waiter("processing_job_completed_or_stopped").wait(ProcessingJobName="job", WaiterConfig=QUICK)

    assert client.describe_processing_job(ProcessingJobName="job")["ProcessingJobStatus"] == "Completed"


def test_waiters_for_endpoints_end(cloud: Cloud, client: Any) -> None:
    create_endpoint(cloud, client)

    client.get_waiter("endpoint_in_service").wait(EndpointName="endpoint", WaiterConfig=QUICK)
    client.delete_endpoint(EndpointName="endpoint")
    client.get_waiter("endpoint_deleted").wait(EndpointName="endpoint", WaiterConfig=QUICK)

    assert client.list_endpoints()["Endpoints"] == []


@pytest.mark.parametrize("order", ["Ascending", "Descending"])
def test_paginator_lists_every_job_once_and_in_order(cloud: Cloud, client: Any, order: str) -> None:
    image = cloud.push_image("pass")
    names = [f"job-{number}" for number in range(5)]
    for name in names:
        client.create_training_job(**training_request(image, name))

    pages = list(
        client.get_paginator("list_training_jobs").paginate(
            SortBy="Name", SortOrder=order, PaginationConfig={"PageSize": 2}
        )
    )

    listed = [summary["TrainingJobName"] for page in pages for summary in page["TrainingJobSummaries"]]
    assert [len(page["TrainingJobSummaries"]) for page in pages] == [2, 2, 1]
    assert listed == sorted(names, reverse=order == "Descending")


def test_raises_the_modelled_exception_for_a_name_in_use(cloud: Cloud, client: Any) -> None:
    request = training_request(cloud.push_image("pass"))
    client.create_training_job(**request)

    with pytest.raises(client.exceptions.ResourceInUse, match="already exists"):
        client.create_training_job(**request)


def test_raises_a_validation_exception_with_status_400(client: Any) -> None:
    with pytest.raises(ClientError) as refused:
        client.describe_endpoint(EndpointName="absent")

    assert refused.value.response["Error"] == {
        "Code": "ValidationException",
        "Message": 'Could not find endpoint "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/absent".',
    }
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_names_what_is_served_when_an_operation_is_not(client: Any) -> None:
    with pytest.raises(ClientError, match=r"UnknownOperationException.*does not serve ListApps.*CreateTrainingJob"):
        client.list_apps()


def test_carries_an_invocation_to_the_container_and_back(cloud: Cloud, client: Any, runtime: Any) -> None:
    create_endpoint(cloud, client)
    await_status(cloud, "InService")

    answer = runtime.invoke_endpoint(
        EndpointName="endpoint", Body=b"1,2", ContentType="text/csv", CustomAttributes="trace=1"
    )

    assert answer["Body"].read() == b"first:1,2:text/csv"
    assert answer["ContentType"] == "text/csv"
    assert answer["CustomAttributes"] == "trace=1"
    assert answer["InvokedProductionVariant"] == "AllTraffic"


def test_raises_a_model_error_with_the_containers_own_answer(cloud: Cloud, client: Any, runtime: Any) -> None:
    create_endpoint(cloud, client)
    await_status(cloud, "InService")

    with pytest.raises(runtime.exceptions.ModelError) as refused:
        runtime.invoke_endpoint(EndpointName="endpoint", Body=b"refuse")

    assert refused.value.response["OriginalStatusCode"] == 400
    assert refused.value.response["OriginalMessage"] == "not a number"


def test_raises_the_runtimes_validation_error_for_an_unknown_endpoint(runtime: Any) -> None:
    with pytest.raises(runtime.exceptions.ValidationError, match=r"Endpoint absent of account 123456789012 not found"):
        runtime.invoke_endpoint(EndpointName="absent", Body=b"1")


def test_keeps_the_tags_of_a_resource(cloud: Cloud, client: Any) -> None:
    arn = client.create_training_job(
        **training_request(cloud.push_image("pass"), Tags=[{"Key": "team", "Value": "ml"}])
    )["TrainingJobArn"]

    client.add_tags(ResourceArn=arn, Tags=[{"Key": "cost", "Value": "für 9"}])

    assert client.list_tags(ResourceArn=arn)["Tags"] == [
        {"Key": "cost", "Value": "für 9"},
        {"Key": "team", "Value": "ml"},
    ]


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_answers_a_body_that_is_no_json_object_with_a_serialization_exception(cloud: Cloud, body: bytes) -> None:
    status, headers, content = cloud.sagemaker.handle_http("POST", "/", {"X-Amz-Target": "SageMaker.ListModels"}, body)

    assert status == 400
    assert headers["x-amzn-errortype"] == "SerializationException"
    assert json.loads(content)["__type"] == "SerializationException"


def test_writes_times_as_seconds_since_1970(cloud: Cloud) -> None:
    make_config(cloud, "first", cloud.push_image("pass"))

    _, _, content = cloud.sagemaker.handle_http(
        "POST", "/", {"x-amz-target": "SageMaker.DescribeModel"}, b'{"ModelName": "first"}'
    )

    assert json.loads(content)["CreationTime"] > 1_700_000_000
    assert json.loads(content)["ExecutionRoleArn"] == ROLE
