"""Ways round the policies that somebody with few permissions tries on a real local cloud: each is refused."""

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
import urllib3
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from headrace.local.engine.cloud import LocalCloud
from tests.local_clouds import ROLES, allow, assume, make_role, running_with_object

pytestmark = pytest.mark.slow

ACCOUNT = "000000000000"
OTHERS = "arn:aws:iam::111122223333:role/theirs"
SECRET = {"Bucket": "raw", "Key": "secret.txt"}
READING = allow("s3:GetObject", on="arn:aws:s3:::raw/in/*")
# As the function's own code sees it: its address of the cloud, its key, and nothing else.
FUNCTION = """
import json, os, urllib.request, boto3
from botocore import UNSIGNED
from botocore.config import Config

def attempt(call):
    try:
        return str(call())
    except Exception as error:
        return str(error)

def handler(event, context):
    address = os.environ["AWS_ENDPOINT_URL"]
    unsigned = boto3.client("s3", endpoint_url=address, config=Config(signature_version=UNSIGNED))
    secret = {"Bucket": "raw", "Key": "secret.txt"}
    return {
        "as itself": attempt(lambda: boto3.client("s3", endpoint_url=address).get_object(**secret)),
        "unsigned": attempt(lambda: unsigned.get_object(**secret)),
        "as an administrator": attempt(
            lambda: boto3.client("sts", endpoint_url=address).assume_role(RoleArn=event["admin"], RoleSessionName="two")
        ),
        "the engine": attempt(lambda: urllib.request.urlopen(address + "/_ministack/config", data=b"{}")),
    }
"""


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud with a secret, an administrator's role, and a role that may read something else."""
    with running_with_object(tmp_path_factory.mktemp("cloud"), "in/a.txt", b"rows") as started:
        boto3.client("s3").put_object(**SECRET, Body=b"secret")
        make_role("admin", allow("*"), trusted="states.amazonaws.com")
        make_role("reader", READING, allow("sts:AssumeRole"))
        yield started


def trust(role: str, statement: Mapping[str, Any], *statements: dict[str, Any]) -> None:
    """Make a role that trusts whom a statement says."""
    iam: Any = boto3.client("iam")
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", **statement}]}
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(policy))
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    iam.put_role_policy(RoleName=role, PolicyName="p", PolicyDocument=json.dumps(document))


def refuse(call: Any, **arguments: Any) -> str:
    """What a call is refused with."""
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    return str(refused.value)


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("s3", "get_object", SECRET),
        ("sts", "get_caller_identity", {}),
        ("sagemaker", "list_models", {}),
        ("stepfunctions", "list_state_machines", {}),
        ("sqs", "list_queues", {}),
        ("kms", "list_keys", {}),
    ],
)
def test_an_unsigned_call(cloud: LocalCloud, service: str, operation: str, arguments: dict[str, Any]) -> None:
    client: Any = boto3.client(service, endpoint_url=cloud.endpoint_url, config=Config(signature_version=UNSIGNED))

    assert "Missing Authentication Token" in refuse(getattr(client, operation), **arguments)


def test_a_role_of_another_account(cloud: LocalCloud) -> None:
    assert cloud
    reader = assume("reader")

    for session in (boto3, reader):
        assert "AccessDenied" in refuse(session.client("sts").assume_role, RoleArn=OTHERS, RoleSessionName="two")
    machine = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Succeed"}}})
    states: Any = boto3.client("stepfunctions")
    assert "authorized to assume" in refuse(
        states.create_state_machine, name="theirs", definition=machine, roleArn=OTHERS
    )
    function = {"FunctionName": "theirs", "Runtime": "python3.13", "Handler": "a.b", "Code": {"ZipFile": b"x"}}
    assert "cannot be assumed" in refuse(boto3.client("lambda").create_function, **function, Role=OTHERS)


def test_a_presigned_address_of_somebody_who_may_not_read(cloud: LocalCloud) -> None:
    def get(url: str) -> tuple[int, bytes]:
        answer = urllib3.request("GET", url, retries=False)
        return answer.status, answer.data

    s3 = assume("reader").client("s3", endpoint_url=cloud.endpoint_url)
    allowed = s3.generate_presigned_url("get_object", {"Bucket": "raw", "Key": "in/a.txt"})

    assert get(allowed) == (200, b"rows")
    status, body = get(s3.generate_presigned_url("get_object", SECRET))
    assert (status, b"s3:GetObject" in body) == (403, True)
    assert get(allowed.replace("in/a.txt", "secret.txt"))[0] == 403
    written = urllib3.request("PUT", allowed, body=b"x", retries=False)
    assert written.status == 403


def test_an_address_presigned_before_the_permission_was_taken_away(cloud: LocalCloud) -> None:
    make_role("dismissed", READING)
    s3 = assume("dismissed").client("s3", endpoint_url=cloud.endpoint_url)
    url = s3.generate_presigned_url("get_object", {"Bucket": "raw", "Key": "in/a.txt"})

    boto3.client("iam").delete_role_policy(RoleName="dismissed", PolicyName="p")

    assert urllib3.request("GET", url, retries=False).status == 403


def test_a_chain_of_roles_has_the_permissions_of_its_last_one_alone(cloud: LocalCloud) -> None:
    assert cloud
    trust("last", {"Principal": {"AWS": f"{ROLES}/reader"}}, allow("sqs:ListQueues"), allow("sts:AssumeRole"))
    trust("closed", {"Principal": {"AWS": f"{ROLES}/somebody"}}, allow("*"))

    last = assume("last", assume("reader"))

    assert last.client("sqs").list_queues()["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert "AccessDenied" in refuse(last.client("s3").get_object, Bucket="raw", Key="in/a.txt")
    for role in ("closed", "last"):
        again = {"RoleArn": f"{ROLES}/{role}", "RoleSessionName": "two"}
        assert "AccessDenied" in refuse(last.client("sts").assume_role, **again)


def test_a_session_with_its_own_policy_does_no_more_than_that(cloud: LocalCloud) -> None:
    assert cloud
    narrow = json.dumps({"Version": "2012-10-17", "Statement": [allow("s3:GetObject", on="arn:aws:s3:::raw/out/*")]})

    session = assume("reader", Policy=narrow)

    assert "AccessDenied" in refuse(session.client("s3").get_object, Bucket="raw", Key="in/a.txt")
    assert "AccessDenied" in refuse(session.client("sts").assume_role, RoleArn=f"{ROLES}/reader", RoleSessionName="two")


def test_a_boundary_holds_whatever_the_role_is_given(cloud: LocalCloud) -> None:
    assert cloud
    iam: Any = boto3.client("iam")
    reading = json.dumps({"Version": "2012-10-17", "Statement": [READING]})
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=reading)["Policy"]["Arn"]
    make_role("bounded", allow("*"))
    iam.put_role_permissions_boundary(RoleName="bounded", PermissionsBoundary=boundary)
    bounded = assume("bounded")

    assert bounded.client("s3").get_object(Bucket="raw", Key="in/a.txt")["Body"].read() == b"rows"
    assert "AccessDenied" in refuse(bounded.client("s3").get_object, **SECRET)
    assert "AccessDenied" in refuse(bounded.client("iam").create_user, UserName="eve")


def test_a_state_that_is_tried_out_as_another_role(cloud: LocalCloud) -> None:
    assert cloud
    make_role("trying", allow("states:*"))
    resource = "arn:aws:states:::aws-sdk:s3:getObject"
    state = {"Type": "Task", "Resource": resource, "Parameters": SECRET, "End": True}
    states = assume("trying").client("stepfunctions", config=Config(inject_host_prefix=False))

    refusal = refuse(states.test_state, definition=json.dumps(state), roleArn=f"{ROLES}/admin")

    assert f"not authorized to perform: iam:PassRole on resource: {ROLES}/admin" in refusal


def test_a_variable_that_stands_for_somebody_else(cloud: LocalCloud) -> None:
    assert cloud
    iam: Any = boto3.client("iam")
    make_role("tagged", allow("s3:GetObject", on="arn:aws:s3:::raw/${aws:PrincipalTag/folder}/*"))
    iam.tag_role(RoleName="tagged", Tags=[{"Key": "folder", "Value": "in"}])

    assert assume("tagged").client("s3").get_object(Bucket="raw", Key="in/a.txt")["Body"].read() == b"rows"
    iam.tag_role(RoleName="tagged", Tags=[{"Key": "folder", "Value": "*"}])
    assert "AccessDenied" in refuse(assume("tagged").client("s3").get_object, Bucket="raw", Key="in/a.txt")
    iam.untag_role(RoleName="tagged", TagKeys=["folder"])
    assert "AccessDenied" in refuse(assume("tagged").client("s3").get_object, Bucket="raw", Key="in/a.txt")


def test_the_address_of_the_cloud_that_a_function_is_given(cloud: LocalCloud) -> None:
    assert cloud
    bundle = io.BytesIO()
    with zipfile.ZipFile(bundle, "w") as archive:
        archive.writestr("index.py", FUNCTION)
    role = make_role("function", allow("logs:*"), READING, trusted="lambda.amazonaws.com")
    functions: Any = boto3.client("lambda")
    functions.create_function(
        FunctionName="escaping",
        Runtime="python3.13",
        Handler="index.handler",
        Role=role,
        Code={"ZipFile": bundle.getvalue()},
        Timeout=60,
    )

    answer = functions.invoke(FunctionName="escaping", Payload=json.dumps({"admin": f"{ROLES}/admin"}))
    said = json.loads(answer["Payload"].read())

    assert "not authorized to perform: s3:GetObject" in said["as itself"]
    assert "secret" not in str(said["unsigned"]).replace("secret.txt", "")
    assert "AccessDenied" in said["as an administrator"]
    assert "403" in said["the engine"]
