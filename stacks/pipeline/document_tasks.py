"""Tasks of the documents' state machine: the calls of Textract, Comprehend, S3 and the function, as they are shared."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3

from headrace.documents.contract import RAW_PREFIX, WORK_PREFIX, Action, Request
from lambdas.documents import contract
from stacks.nag import wildcard_objects, wildcard_resource
from stacks.ownership import in_this_account
from stacks.pipeline import function_tasks
from stacks.pipeline.asl import CALL_SECONDS, Catch, Retry, Task, jsonata, retry_busy
from stacks.pipeline.permission import Permission

TEXTRACT: Final = "textract.amazonaws.com"
# What is busy for a while, or has as many jobs as it takes: it is asked again for an hour, at ever longer intervals.
TEXTRACT_BUSY: Final = Retry(
    errors=(
        "Textract.InternalServerErrorException",
        "Textract.LimitExceededException",
        "Textract.ProvisionedThroughputExceededException",
        "Textract.SdkClientException",
        "Textract.TextractException",
        "Textract.ThrottlingException",
    ),
    interval_seconds=5,
    max_attempts=8,
)
# Comprehend throttles by what all of the account asks for, so that one document may wait until others are read.
# Step Functions has no name of its own for TooManyRequestsException, which the operations that are used do not declare.
COMPREHEND_BUSY: Final = Retry(
    errors=(
        "Comprehend.ComprehendException",
        "Comprehend.InternalServerException",
        "Comprehend.ResourceUnavailableException",
        "Comprehend.SdkClientException",
        "Comprehend.ThrottlingException",
        "Comprehend.TooManyRequestsException",
    ),
    interval_seconds=2,
    max_attempts=40,
    longest_seconds=90,
)
S3_BUSY: Final = retry_busy("S3")
_NO_RESOURCES: Final = "{} knows no resources for these operations; exactly those that a state calls are allowed."


def call(service: str, operation: str, pattern: str = "") -> str:
    """The resource of a task that calls an operation by the integration of the SDK."""
    return f"arn:{Aws.PARTITION}:states:::aws-sdk:{service}:{operation}{pattern}"


def allow_unscoped(service: str, operation: str) -> Permission:
    """Let an operation be called that IAM knows no resources for."""
    return Permission(
        statement=iam.PolicyStatement(actions=[f"{service.lower()}:{operation}"], resources=["*"]),
        findings={wildcard_resource("*"): _NO_RESOURCES.format(service)},
    )


@dataclass(frozen=True, kw_only=True)
class DocumentTasks:
    """Makes the tasks.

    Args:
        raw: The bucket of the documents.
        work: The bucket of everything else.
        key: The customer's key of both.
        function: Counts, unpacks and gathers.
    """

    raw: s3.IBucket
    work: s3.IBucket
    key: kms.IKey | None
    function: lambda_.IFunction

    def ask_function(
        self,
        action: Action,
        given: Mapping[Request, str],
        *,
        into: str,
        next_state: str,
        catch: Catch,
    ) -> Task:
        """Have the function do something, and keep its answer."""
        return Task(
            resource=function_tasks.INVOKE,
            arguments={
                "FunctionName": self.function.function_arn,
                "Payload": {Request.ACTION: action, **{name: jsonata(value) for name, value in given.items()}},
            },
            assign={into: jsonata("$states.result.Payload")},
            timeout_seconds=contract.TIMEOUT_SECONDS + CALL_SECONDS,
            next=next_state,
            retry=(function_tasks.BUSY,),
            catch=(catch,),
            permissions=(function_tasks.allow_invoking(self.function),),
        )

    def ask_comprehend(
        self, operation: str, arguments: Mapping[str, Any], *, assign: Mapping[str, Any], next_state: str, catch: Catch
    ) -> Task:
        """Ask Comprehend about a text."""
        return Task(
            resource=call("comprehend", f"{operation[:1].lower()}{operation[1:]}"),
            arguments=arguments,
            assign=assign,
            timeout_seconds=CALL_SECONDS,
            next=next_state,
            retry=(COMPREHEND_BUSY,),
            catch=(catch,),
            permissions=(allow_unscoped("Comprehend", operation),),
        )

    def allow_reading_documents(self) -> tuple[Permission, ...]:
        """Textract reads a document with the permissions of who asks it to."""
        return (self._allow_objects(self.raw, ["s3:GetObject", "s3:GetObjectVersion"], RAW_PREFIX), *self.allow_key())

    def allow_files(self, *actions: str) -> tuple[Permission, ...]:
        """Let files of the documents in the work bucket be read or written."""
        return (self._allow_objects(self.work, list(actions), WORK_PREFIX), *self.allow_key())

    def allow_key(self) -> tuple[Permission, ...]:
        """Let the customer's key be used, where there is one."""
        if not self.key:
            return ()
        actions = ["kms:Decrypt", "kms:GenerateDataKey"]
        return (Permission(statement=iam.PolicyStatement(actions=actions, resources=[self.key.key_arn])),)

    def _allow_objects(self, bucket: s3.IBucket, actions: list[str], prefix: str) -> Permission:
        return Permission(
            statement=iam.PolicyStatement(
                actions=actions, resources=[bucket.arn_for_objects(f"{prefix}*")], conditions=in_this_account()
            ),
            findings={
                wildcard_objects(bucket, f"{prefix}*"): f"Who starts an execution names the documents; the prefix "
                f"{prefix} and the listed actions limit what is reached."
            },
        )
