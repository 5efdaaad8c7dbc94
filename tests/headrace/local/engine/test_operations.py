"""A request is decided as the operation that it is served as, or refused."""

import gzip
from typing import Any

import pytest

from headrace.local.engine.operations import UncertainRequestError, read_operation
from headrace.local.engine.signatures import SentRequest
from tests.headrace.local.engine.sent_requests import connect, make_request, take

FORM = "application/x-www-form-urlencoded"


def send(
    service: str, method: str, path: str, body: bytes = b"", host: str = "127.0.0.1:4711", **headers: str
) -> SentRequest:
    signed = {
        "authorization": f"AWS4-HMAC-SHA256 Credential=AKIA/20261128/us-east-1/{service}/aws4_request, Signature="
    }
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return make_request(method, f"http://{host}{path}", {"host": host, **signed, **given}, body)


REFUSED = {
    "an action of the query on S3": send("s3", "DELETE", "/b/a?Action=GetObject"),
    "a target on S3": send("s3", "DELETE", "/b/a", x_amz_target="x.GetObject"),
    "a form on S3": send("s3", "DELETE", "/b/a", b"Action=GetObject", content_type=FORM),
    "an action of the query on KMS": send(
        "kms", "POST", "/?Action=ListKeys", b"{}", x_amz_target="TrentService.Encrypt"
    ),
    "a form on KMS": send(
        "kms", "POST", "/", b"Action=ListKeys", x_amz_target="TrentService.Encrypt", content_type=FORM
    ),
    "two actions on IAM": send("iam", "POST", "/?Action=ListUsers", b"Action=CreateUser&UserName=u", content_type=FORM),
    "an action twice": send("iam", "POST", "/", b"Action=ListUsers&Action=CreateUser&UserName=u", content_type=FORM),
    "two users": send("iam", "POST", "/?UserName=me", b"Action=CreateAccessKey&UserName=owner", content_type=FORM),
    "a target on IAM": send("iam", "POST", "/", b"Action=ListUsers", x_amz_target="x.CreateUser", content_type=FORM),
    "another service's target": send("logs", "POST", "/", b"{}", x_amz_target="TrentService.Encrypt"),
    "a decoy member": send(
        "states",
        "POST",
        "/",
        b'{"executionArn": "e", "stateMachineArn": "m"}',
        x_amz_target="AWSStepFunctions.StopExecution",
    ),
    "a member twice": send(
        "kms", "POST", "/", b'{"KeyId": "a", "KeyId": "b"}', x_amz_target="TrentService.DescribeKey"
    ),
    "a decoy parameter": send("iam", "POST", "/", b"Action=DeleteGroup&GroupName=g&UserName=me", content_type=FORM),
    "two sub-resources": send("s3", "PUT", "/b?policy&metrics"),
    "a list of a location": send("s3", "GET", "/b?list-type=2&location"),
    "a sub-resource twice": send("s3", "PUT", "/b?policy&policy"),
    "a slash in a function's name": send("lambda", "GET", "/2015-03-31/functions/f%2Faliases"),
    "two keys of an object": send(
        "s3", "POST", "/b?delete", b"<Delete><Object><Key>secret</Key><Key>open</Key></Object></Delete>"
    ),
    "an action beside a function's own parameter": send("s3", "DELETE", "/a--ol-s3/a?width=1&Action=GetObject"),
    "no service": send("nothing", "POST", "/", b"{}", x_amz_target="SageMaker.ListModels"),
    "a small body that unpacks to a large one": send(
        "logs",
        "POST",
        "/",
        gzip.compress(b" " * (17 << 20), mtime=0),
        content_encoding="gzip",
        x_amz_target="Logs_20140328.PutLogEvents",
    ),
    "a body that is not packed as it says": send(
        "logs",
        "POST",
        "/",
        gzip.compress(b"{}", mtime=0)[:10] + b"no deflated bytes",
        content_encoding="gzip",
        x_amz_target="Logs_20140328.PutLogEvents",
    ),
    "a body behind a GET": send("lambda", "GET", "/2015-03-31/functions/f", b'{"FunctionName": "g"}'),
}


@pytest.mark.parametrize("request_", REFUSED.values(), ids=REFUSED)
def test_refuses_what_may_be_read_in_two_ways(request_: SentRequest) -> None:
    with pytest.raises(UncertainRequestError):
        read_operation(request_)


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("s3", "put_object", {"Bucket": "b", "Key": "a//b +%2F", "Body": b"1"}),
        ("s3", "get_object", {"Bucket": "b", "Key": "a", "VersionId": "v"}),
        ("s3", "head_object", {"Bucket": "b", "Key": "a"}),
        ("s3", "copy_object", {"Bucket": "b", "Key": "a", "CopySource": "b/c"}),
        ("s3", "upload_part", {"Bucket": "b", "Key": "a", "PartNumber": 1, "UploadId": "u", "Body": b""}),
        ("s3", "create_multipart_upload", {"Bucket": "b", "Key": "a"}),
        ("s3", "list_objects_v2", {"Bucket": "b", "Prefix": "a", "Delimiter": "/"}),
        ("s3", "list_objects", {"Bucket": "b"}),
        ("s3", "list_object_versions", {"Bucket": "b"}),
        ("s3", "list_buckets", {}),
        ("s3", "create_bucket", {"Bucket": "b"}),
        ("s3", "delete_objects", {"Bucket": "b", "Delete": {"Objects": [{"Key": "a"}]}}),
        ("s3", "get_bucket_metrics_configuration", {"Bucket": "b", "Id": "1"}),
        ("s3", "put_bucket_lifecycle_configuration", {"Bucket": "b", "LifecycleConfiguration": {"Rules": []}}),
        ("s3", "write_get_object_response", {"RequestRoute": "r", "RequestToken": "t"}),
        ("s3control", "create_access_point", {"AccountId": "000000000000", "Name": "nnn", "Bucket": "bbb"}),
        ("lambda", "invoke", {"FunctionName": "arn:aws:lambda:us-east-1:000000000000:function:f", "Payload": b"{}"}),
        ("lambda", "delete_alias", {"FunctionName": "f", "Name": "a"}),
        ("lambda", "list_functions", {}),
        ("lambda", "list_tags", {"Resource": "arn:aws:lambda:us-east-1:000000000000:function:f"}),
        ("iam", "create_user", {"UserName": "u", "Tags": [{"Key": "k", "Value": "v"}]}),
        ("ec2", "describe_vpcs", {"Filters": [{"Name": "n", "Values": ["v"]}], "VpcIds": ["v"]}),
        ("cloudformation", "create_stack", {"StackName": "s", "Capabilities": ["CAPABILITY_IAM"]}),
        ("sts", "assume_role", {"RoleArn": "r" * 20, "RoleSessionName": "ss"}),
        ("sns", "publish", {"TopicArn": "t", "Message": "m"}),
        ("sqs", "send_message", {"QueueUrl": "http://127.0.0.1:4711/q", "MessageBody": "m"}),
        ("cloudwatch", "put_metric_data", {"Namespace": "n", "MetricData": [{"MetricName": "m"}]}),
        ("kms", "encrypt", {"KeyId": "k", "Plaintext": b"1"}),
        ("stepfunctions", "stop_execution", {"executionArn": "e"}),
        ("sagemaker", "list_models", {}),
        ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "e", "Body": b"1"}),
        ("efs", "describe_file_systems", {"FileSystemId": "fs-00000001"}),
        ("ecr", "get_authorization_token", {}),
        ("apigateway", "get_rest_apis", {"limit": 5}),
        (
            "apigateway",
            "get_export",
            {"restApiId": "a", "stageName": "s", "exportType": "oas30", "parameters": {"extensions": "apigateway"}},
        ),
    ],
)
def test_reads_what_clients_send(service: str, operation: str, parameters: dict[str, Any]) -> None:
    client = connect(service)

    found = read_operation(take(client, operation, **parameters))

    assert (found.service, found.name) == (service, client.meta.method_to_api_mapping[operation])


@pytest.mark.parametrize(
    "request_",
    [
        send("s3", "GET", "/a?x-id=GetObject", host="b.localhost:4711"),
        send("s3", "GET", "/a", host="b.s3.us-east-1.localhost:4711"),
        send("s3", "GET", "/b/a", host="s3.us-east-1.localhost:4711"),
        make_request("GET", "http://127.0.0.1:4711/b/a?AWSAccessKeyId=AKIA&Signature=s&Expires=1", {}, b""),
        send("s3", "GET", "/olap--ol-s3/a?width=64"),
        send("s3-object-lambda", "GET", "/a?width=64", host="olap-000000000000.localhost:4711"),
    ],
)
def test_reads_a_bucket_in_the_host_and_in_the_path(request_: SentRequest) -> None:
    assert read_operation(request_).name == "GetObject"


def test_reads_a_query_in_the_address() -> None:
    assert (
        read_operation(send("sts", "GET", "/?Action=GetCallerIdentity&Version=2011-06-15")).name == "GetCallerIdentity"
    )
