"""The sessions in which SageMaker works for the roles that its jobs and endpoints are given."""

from collections.abc import Mapping
from typing import Final, Protocol

from botocore.config import Config

from headrace.local.engine.clients import open_client
from headrace.local.engine.credentials import AccessKey
from headrace.local.sagemaker.errors import RequestRefusedError
from headrace.local.sagemaker.host import RoleSession

SAGEMAKER: Final = "sagemaker.amazonaws.com"
# A job's end waits for its last log lines and metrics, so a service that hangs must not hold it up.
IMPATIENT: Final = Config(connect_timeout=2, read_timeout=5, retries={"max_attempts": 1})


class Access(Protocol):
    """What is asked of the account's IAM."""

    def trusts(self, role: str, service: str) -> bool:
        """Whether there is a role and a service may assume it."""

    def open_session(self, role: str, name: str) -> AccessKey:
        """A temporary key for a session of a role."""


class SageMakerRoles:
    """Assumes roles for SageMaker; the clients of a role are made once.

    Args:
        access: The account's IAM.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._sessions: dict[str, RoleSession] = {}

    def assume(self, role_arn: str) -> RoleSession:
        """A session of a role.

        Raises:
            RequestRefusedError: If there is no such role, or it does not trust SageMaker.
        """
        if not self._access.trusts(role_arn, SAGEMAKER):
            raise RequestRefusedError(
                f"Could not assume role {role_arn}. Please ensure that the role exists and allows principal "
                f"'{SAGEMAKER}' to assume the role."
            )
        key = self._access.open_session(role_arn, "SageMaker")
        if role_arn not in self._sessions:
            self._sessions[role_arn] = open_clients(key)
        return self._sessions[role_arn]


def open_clients(key: AccessKey) -> RoleSession:
    """Clients that sign with a key, and the same key for programs."""
    given = {
        "aws_access_key_id": key.key_id,
        "aws_secret_access_key": key.secret,
        "aws_session_token": key.session_token,
    }
    return RoleSession(
        s3=open_client("s3", **given),
        logs=open_client("logs", **given, config=IMPATIENT),
        cloudwatch=open_client("cloudwatch", **given, config=IMPATIENT),
        environment=write_environment(key),
    )


def write_environment(key: AccessKey) -> Mapping[str, str]:
    """The variables that clients read a key from."""
    return {
        "AWS_ACCESS_KEY_ID": key.key_id,
        "AWS_SECRET_ACCESS_KEY": key.secret,
        "AWS_SESSION_TOKEN": key.session_token or "",
    }
