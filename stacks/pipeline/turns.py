"""One execution at a time on an endpoint: who has its turn stands in an object of the work bucket.

Writing it is conditional, so of several executions that want it exactly one gets it
(https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html). Whatever a refused write is called, it
is the object that says whose turn it is: Step Functions gives most errors of S3 one name.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from headrace import contract
from stacks.nag import wildcard_objects
from stacks.ownership import in_this_account
from stacks.pipeline.asl import CALL_SECONDS, Catch, Retry, Task, jsonata
from stacks.pipeline.failure import CAUSE, REDRIVES, keep_failure
from stacks.pipeline.permission import Permission
from stacks.settings.jobs import WhenBusy

# The execution that a state belongs to, as it names itself in the object.
EXECUTION: Final = "$states.context.Execution.Id"
COUNTERS: Final[Mapping[str, Any]] = {"turn_failures": 0, "turn_polls": 0}
# What must be assigned before: what is counted, how often it was redriven when it took its turn, and what was refused.
VARIABLES: Final[Mapping[str, Any]] = {
    **COUNTERS,
    "turn_redrives": 0,
    "turn_errors": {"Write": "not tried", "Read": "not tried"},
}

# Whether it was redriven since it took its turn: one that was stopped or took too long has given that back.
IS_LOST: Final = f"{REDRIVES} > $turn_redrives"

_KEY: Final = f"'{contract.TURNS_PREFIX}' & $lowercase($endpoint_name)"
_ANY_ENDPOINT: Final = (
    "An execution's input may name another endpoint, so the names are not known beforehand; below this prefix there is "
    "nothing but who has a turn."
)
_GONE: Final = "Sfn.ExecutionDoesNotExistException"
# What S3 answers when it is busy, or when two write at the same moment, has no name of its own.
_AGAIN: Final = Retry(errors=("S3.SdkClientException",), interval_seconds=2, max_attempts=3)


@dataclass(frozen=True, kw_only=True)
class Turns:
    """Makes the tasks that take an endpoint's turn and give it back.

    Args:
        work: The bucket where it stands whose turn it is.
        key: The customer's key, which that bucket encrypts with.
        when_busy: What an execution does that finds another one at its endpoint.
    """

    work: s3.IBucket
    key: kms.IKey | None
    when_busy: WhenBusy

    @property
    def place(self) -> dict[str, str]:
        """Where it stands whose turn it is; SageMaker ignores case in the names of endpoints."""
        return {
            "Bucket": self.work.bucket_name,
            "Key": jsonata(_KEY),
        }

    def write(self, condition: Mapping[str, str], *, next_state: str, otherwise: str) -> Task:
        """Write that it is this execution's turn, if the condition holds; else keep why not in `$turn_errors`."""
        return Task(
            resource=_call_s3("putObject"),
            arguments={
                **self.place,
                "Body": jsonata(
                    f"$string({{'{contract.TURN_EXECUTION}': {EXECUTION}, '{contract.TURN_SINCE}': "
                    "$states.context.State.EnteredTime})"
                ),
                "ContentType": "application/json",
                **condition,
            },
            assign={"turn": jsonata("$states.result.ETag"), "turn_failures": 0, "turn_redrives": jsonata(REDRIVES)},
            timeout_seconds=CALL_SECONDS,
            next=next_state,
            retry=(_AGAIN,),
            catch=(_keep("Write", otherwise),),
            permissions=(self._allow("s3:PutObject"), *self._allow_key("kms:Decrypt", "kms:GenerateDataKey")),
        )

    def read(self, *, next_state: str, otherwise: str) -> Task:
        """Read whose turn it is into `$owner` and `$turn`."""
        body = "$parse($states.result.Body)"
        return Task(
            resource=_call_s3("getObject"),
            arguments=self.place,
            assign={
                "owner": {
                    "Execution": jsonata(f"$string({body}.{contract.TURN_EXECUTION})"),
                    "Since": jsonata(f"$string({body}.{contract.TURN_SINCE})"),
                    "Place": jsonata(
                        f"'s3://{self.work.bucket_name}/{contract.TURNS_PREFIX}' & $lowercase($endpoint_name)"
                    ),
                },
                "turn": jsonata("$states.result.ETag"),
            },
            timeout_seconds=CALL_SECONDS,
            next=next_state,
            retry=(_AGAIN,),
            catch=(_keep("Read", otherwise),),
            permissions=(self._allow("s3:GetObject"), *self._allow_key("kms:Decrypt")),
        )

    def find_owner(self, name: str, *, next_state: str, gone: str) -> Task:
        """Find out whether the owner still runs, into `$owner_status`; of one that ended long ago nothing is known."""
        return Task(
            resource=f"arn:{Aws.PARTITION}:states:::aws-sdk:sfn:describeExecution",
            arguments={"ExecutionArn": jsonata("$owner.Execution")},
            assign={"owner_status": jsonata("$states.result.Status")},
            timeout_seconds=CALL_SECONDS,
            next=next_state,
            retry=(Retry(errors=("Sfn.SfnException", "Sfn.SdkClientException"), interval_seconds=2, max_attempts=5),),
            catch=(Catch(errors=(_GONE,), next=gone), keep_failure(name)),
            own_executions=("states:DescribeExecution",),
        )

    def let_go(self, *, next_state: str) -> Task:
        """Give the turn back if it is still this execution's; whatever becomes of that, it goes on.

        A turn that stays is no harm: who comes next sees that its owner runs no more.
        """
        return Task(
            resource=_call_s3("deleteObject"),
            arguments={**self.place, "IfMatch": jsonata("$turn")},
            timeout_seconds=CALL_SECONDS,
            next=next_state,
            retry=(_AGAIN,),
            catch=(Catch(errors=("States.ALL",), next=next_state),),
            permissions=(self._allow("s3:DeleteObject"),),
        )

    def _allow(self, action: str) -> Permission:
        pattern = f"{contract.TURNS_PREFIX}*"
        return Permission(
            statement=iam.PolicyStatement(
                actions=[action], resources=[self.work.arn_for_objects(pattern)], conditions=in_this_account()
            ),
            findings={wildcard_objects(self.work, pattern): _ANY_ENDPOINT},
        )

    def _allow_key(self, *actions: str) -> tuple[Permission, ...]:
        if not self.key:
            return ()
        return (Permission(statement=iam.PolicyStatement(actions=list(actions), resources=[self.key.key_arn])),)


def while_held(value: str) -> str:
    """An argument, given as JSONata, without which a task fails when the turn was lost, before it asks for anything.

    A redrive goes on at the very task that an execution was stopped in, past every choice before it. The task's catcher
    for `States.ALL` must lead on to a choice that sees `IS_LOST`.
    """
    return jsonata(f"{IS_LOST} ? $error('the turn at the endpoint was lost') : {value}")


def _keep(what: str, otherwise: str) -> Catch:
    errors = jsonata(f"$merge([$turn_errors, {{'{what}': {CAUSE}}}])")
    assign = {"turn_errors": errors, "turn_failures": jsonata("$turn_failures + 1")}
    return Catch(errors=("States.ALL",), assign=assign, next=otherwise)


def _call_s3(action: str) -> str:
    return f"arn:{Aws.PARTITION}:states:::aws-sdk:s3:{action}"
