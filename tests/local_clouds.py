"""What tests do with local clouds of their own."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3

from headrace.local.engine import cloud as local_cloud
from headrace.local.engine.cloud import LocalCloud
from headrace.loopback import find_free_port

__all__ = [
    "ROLES",
    "allow",
    "assume",
    "clients_of",
    "find_free_port",
    "make_role",
    "own_clients",
    "running_with_object",
]

ROLES = "arn:aws:iam::000000000000:role"
Statement = dict[str, Any]


@contextmanager
def own_clients() -> Iterator[None]:
    """Have the AWS clients of this process be at the end what they were at the beginning."""
    with patch.dict(os.environ):
        yield
    # The session remembers the key it has read.
    boto3.setup_default_session()


@contextmanager
def clients_of(cloud: LocalCloud) -> Iterator[None]:
    """Point the AWS clients of this process at a cloud for a while."""
    with own_clients():
        local_cloud.point_clients(cloud.client_environment)
        yield


@contextmanager
def running_with_object(root: Path, key: str, body: bytes) -> Iterator[LocalCloud]:
    """A cloud with one object in its bucket `raw`, which the AWS clients of this process lead to."""
    started = local_cloud.start(root, find_free_port(), stop_with_caller=True)
    with clients_of(started):
        s3: Any = boto3.client("s3")
        s3.create_bucket(Bucket="raw")
        s3.put_object(Bucket="raw", Key=key, Body=body)
        yield started
    started.stop()


def allow(*actions: str, on: str = "*", **condition: Any) -> Statement:
    """A statement that allows actions."""
    statement: Statement = {"Effect": "Allow", "Action": list(actions), "Resource": on}
    return {**statement, "Condition": condition} if condition else statement


def make_role(name: str, *statements: Statement, trusted: str = "sagemaker.amazonaws.com") -> str:
    """A role that a service and the account's own users may assume; its ARN."""
    iam: Any = boto3.client("iam")
    principal = {"AWS": ROLES.replace(":role", ":root"), "Service": trusted}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    if statements:
        document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document)
    return f"{ROLES}/{name}"


def assume(role: str, session: Any = boto3, **limits: Any) -> Any:
    """A session of a role, which another one may assume."""
    arn = role if role.startswith("arn:") else f"{ROLES}/{role}"
    given = session.client("sts").assume_role(RoleArn=arn, RoleSessionName="one", **limits)["Credentials"]
    return boto3.Session(
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
