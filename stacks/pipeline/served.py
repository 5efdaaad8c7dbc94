"""What serves at an endpoint, or served last, noted in an object of the work bucket: one that is gone says nothing.

Whatever is stopped is started with what stands there, so every execution that serves another configuration notes it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from headrace import contract
from headrace.contract import ServedNote
from stacks.ownership import in_this_account
from stacks.pipeline.asl import CALL_SECONDS, Catch, Task, jsonata, retry_busy
from stacks.pipeline.failure import keep_failure
from stacks.pipeline.permission import Permission
from stacks.pipeline.registry import ModelRegistry
from stacks.pipeline.turns import while_held

_BODY: Final = "$parse($states.result.Body)"
_RETRY: Final = (retry_busy("S3"),)


@dataclass(frozen=True, kw_only=True)
class ServedNotes:
    """Makes the tasks that write and read what serves at one endpoint.

    Args:
        work: The bucket where that stands.
        key: The customer's key, which that bucket encrypts with.
        endpoint_name: The endpoint.
    """

    work: s3.IBucket
    key: kms.IKey | None
    endpoint_name: str

    @property
    def object_key(self) -> str:
        """The object; SageMaker ignores case in the names of endpoints."""
        return f"{contract.SERVED_PREFIX}{self.endpoint_name.lower()}"

    @property
    def is_usual(self) -> str:
        """Whether `$endpoint_name` is this endpoint, in JSONata."""
        return f"$lowercase($endpoint_name) = '{self.endpoint_name.lower()}'"

    def write(self, note: Mapping[ServedNote, str], *, next_state: str, catch: Catch) -> Task:
        """Note what serves, as JSONata, while the turn at the endpoint is held."""
        noted = {**note, ServedNote.SINCE: "$states.context.State.EnteredTime"}
        body = ", ".join(f"'{key}': {value}" for key, value in noted.items())
        return Task(
            resource=_call("putObject"),
            arguments={
                "Bucket": self.work.bucket_name,
                "Key": while_held(f"'{self.object_key}'"),
                "Body": jsonata(f"$string({{{body}}})"),
                "ContentType": "application/json",
            },
            timeout_seconds=CALL_SECONDS,
            next=next_state,
            retry=_RETRY,
            catch=(catch,),
            permissions=(self._allow("s3:PutObject"), *self._allow_key("kms:Decrypt", "kms:GenerateDataKey")),
        )

    def find(self, name: str, *, next_state: str) -> Task:
        """See whether anything is noted, into `$is_noted`: what is not there cannot be read without a right to list."""
        return Task(
            resource=_call("listObjectsV2"),
            arguments={"Bucket": self.work.bucket_name, "Prefix": self.object_key},
            assign={"is_noted": jsonata(f"'{self.object_key}' in $states.result.Contents.Key")},
            timeout_seconds=CALL_SECONDS,
            next=next_state,
            retry=_RETRY,
            catch=(keep_failure(name),),
            permissions=(self._allow_listing(),),
        )

    def read(self, name: str, registry: ModelRegistry, *, next_state: str) -> Task:
        """Read it into `$noted` and, as what was found to serve, `$serving_model` and `$serving_package`."""
        package = f"{_BODY}.{ServedNote.PACKAGE}"
        return Task(
            resource=_call("getObject"),
            arguments={"Bucket": self.work.bucket_name, "Key": self.object_key},
            assign={
                "noted": {
                    ServedNote.CONFIG: jsonata(f"$string({_BODY}.{ServedNote.CONFIG})"),
                    ServedNote.MODEL: jsonata(f"$string({_BODY}.{ServedNote.MODEL})"),
                    ServedNote.PACKAGE: jsonata(f"{registry.is_version(f'$string({package})')} ? {package} : ''"),
                },
                "serving_model": jsonata(f"$string({_BODY}.{ServedNote.MODEL})"),
                "serving_package": jsonata(f"$string({package})"),
            },
            timeout_seconds=CALL_SECONDS,
            next=next_state,
            retry=_RETRY,
            catch=(keep_failure(name),),
            permissions=self._allow_reading(),
        )

    def allow_finding(self) -> tuple[Permission, ...]:
        """See whether anything is noted, and read it."""
        return (self._allow_listing(), *self._allow_reading())

    def _allow_listing(self) -> Permission:
        return Permission(
            statement=iam.PolicyStatement(
                actions=["s3:ListBucket"],
                resources=[self.work.bucket_arn],
                conditions=in_this_account({"StringEquals": {"s3:prefix": self.object_key}}),
            )
        )

    def _allow_reading(self) -> tuple[Permission, ...]:
        return (self._allow("s3:GetObject"), *self._allow_key("kms:Decrypt"))

    def _allow(self, action: str) -> Permission:
        return Permission(
            statement=iam.PolicyStatement(
                actions=[action],
                resources=[self.work.arn_for_objects(self.object_key)],
                conditions=in_this_account(),
            )
        )

    def _allow_key(self, *actions: str) -> tuple[Permission, ...]:
        if not self.key:
            return ()
        return (Permission(statement=iam.PolicyStatement(actions=list(actions), resources=[self.key.key_arn])),)


def take_noted() -> dict[str, str]:
    """What to serve again, of `$noted`."""
    return {
        "config": jsonata(f"$noted.{ServedNote.CONFIG}"),
        "model": jsonata(f"$noted.{ServedNote.MODEL}"),
        "package": jsonata(f"$noted.{ServedNote.PACKAGE}"),
        "job_name": jsonata("''"),
    }


def _call(action: str) -> str:
    return f"arn:{Aws.PARTITION}:states:::aws-sdk:s3:{action}"
