"""A real local cloud of an account without Lambda and Object Lambda, in a Region without function URLs."""

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError, WaiterError
from botocore.httpsession import URLLib3Session

from headrace.local.engine import cloud as local_cloud
from headrace.local.engine.cloud import LocalCloud
from headrace.local.limits import OBJECT_LAMBDA_ACCESS_POINTS, Limits
from headrace.object_lambda import ObjectLambdaAttempt
from headrace.quotas import CONCURRENT_EXECUTIONS
from tests.local_clouds import clients_of, find_free_port, make_role

pytestmark = pytest.mark.slow

LIMITS = Limits({CONCURRENT_EXECUTIONS: 0, OBJECT_LAMBDA_ACCESS_POINTS: 0}, "eu-south-2")


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    limits = LIMITS
    started = local_cloud.start(
        tmp_path_factory.mktemp("cloud"), find_free_port(), stop_with_caller=True, limits=limits
    )
    try:
        with clients_of(started):
            make_function()
            yield started
    finally:
        started.stop()


def make_function() -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("index.py", "def handler(event, context):\n    return {}\n")
    boto3.client("lambda").create_function(
        FunctionName="f",
        Runtime="python3.13",
        Handler="index.handler",
        Role=make_role("function", trusted="lambda.amazonaws.com"),
        Code={"ZipFile": packed.getvalue()},
    )


def test_goes_on_with_the_limits_it_was_started_with(cloud: LocalCloud) -> None:
    found = local_cloud.find(cloud.root)

    assert found
    assert found.limits == cloud.limits == LIMITS


def test_turns_away_invoke(cloud: LocalCloud) -> None:
    assert cloud
    with pytest.raises(ClientError) as refused:
        boto3.client("lambda").invoke(FunctionName="f")

    response: Any = refused.value.response
    assert response["Error"]["Code"] == "TooManyRequestsException"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 429


def test_turns_away_requests_to_function_urls(cloud: LocalCloud) -> None:
    url = boto3.client("lambda").create_function_url_config(FunctionName="f", AuthType="AWS_IAM")["FunctionUrl"]
    url_id = url.removeprefix("https://").removeprefix("http://").partition(".")[0]
    request = AWSRequest("GET", f"{cloud.endpoint_url}/_aws/lambda-url/{url_id}/")
    credentials = boto3.Session().get_credentials()
    assert credentials
    SigV4Auth(credentials, "lambda", "us-east-1").add_auth(request)

    assert URLLib3Session().send(request.prepare()).status_code == 429


def test_does_not_know_a_type_that_the_region_lacks(cloud: LocalCloud) -> None:
    assert cloud
    url = {"Type": "AWS::Lambda::Url", "Properties": {"AuthType": "AWS_IAM", "TargetFunctionArn": "f"}}

    with pytest.raises(ClientError, match=r"Unrecognized resource types: \[AWS::Lambda::Url\]"):
        boto3.client("cloudformation").create_stack(StackName="s", TemplateBody=json.dumps({"Resources": {"Url": url}}))


def test_refuses_object_lambda_so_that_a_deployment_is_seen_to_lack_it_alone(cloud: LocalCloud) -> None:
    assert cloud
    cloudformation: Any = boto3.client("cloudformation")
    attempt = ObjectLambdaAttempt(cloudformation, "lambdas")
    configuration = {"SupportingAccessPoint": "arn:aws:s3:us-east-1:000000000000:accesspoint/a"}
    access_point = {
        "Type": "AWS::S3ObjectLambda::AccessPoint",
        "Properties": {"ObjectLambdaConfiguration": configuration},
    }
    body = json.dumps({"Resources": {"AccessPoint": access_point}})

    cloudformation.create_stack(StackName="lambdas", TemplateBody=body)
    with pytest.raises(WaiterError):
        cloudformation.get_waiter("stack_create_complete").wait(StackName="lambdas", WaiterConfig={"Delay": 0.05})

    assert "S3 Object Lambda is available only to accounts that had used it" in attempt.find_refusal()
