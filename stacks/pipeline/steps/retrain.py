"""Where the settings say so, have drift start an execution of the workload, and tell what a check has found."""

from collections.abc import Mapping
from typing import Final

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from headrace import contract
from headrace.contract import NOT_RECORDED
from headrace.drift.contract import Finding, Verdict
from stacks.pipeline.asl import CALL_SECONDS, Catch, Choice, Finish, Retry, Rule, State, Task, jsonata
from stacks.pipeline.failure import keep_failure
from stacks.pipeline.permission import Permission
from stacks.pipeline.step import Step

_DECIDE: Final = "Drifted"
_RETRAIN: Final = "Retrain"
_DONE: Final = "Done"
# The training data of the version that serves; where these are not known, that version.
_DATA: Final = f"($fingerprint in ['', '{NOT_RECORDED}'] ? $parent : $fingerprint)"
_NAME: Final = f"'drift-' & $substring($hash({_DATA}, 'SHA-256'), 0, 32)"
_NOT_AGAIN: Final = (
    f"'not again: ' & {_NAME} & ' was started when the version with these training data served; see how it ended, "
    "and redrive it, or start another one yourself'"
)
_BEFORE: Final = "Sfn.ExecutionAlreadyExistsException"
_BUSY: Final = Retry(errors=("Sfn.SfnException", "Sfn.SdkClientException"), interval_seconds=2, max_attempts=5)


def retrain(machine_arn: str, live_arn: str) -> Step:
    """Start an execution if requests have drifted, once for the same training data.

    Its name says for which: Step Functions starts no second one of that name for 90 days, so neither the same drift nor
    another check at the same time starts one again, nor do new data while the same version serves
    (https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html).

    Args:
        machine_arn: The workload's state machine.
        live_arn: The alias by which its executions are started.
    """
    comment = f"'started by drift from the training data ' & {_DATA}"
    allowed = iam.PolicyStatement(actions=["states:StartExecution"], resources=[machine_arn])

    def states(after: str) -> Mapping[str, State]:
        drifted = Rule(condition=f"$found.{Finding.VERDICT} = '{Verdict.DRIFTED}'", next=_RETRAIN)
        return {
            _DECIDE: Choice(rules=(drifted,), default=after),
            _RETRAIN: Task(
                resource=f"arn:{Aws.PARTITION}:states:::aws-sdk:sfn:startExecution",
                arguments={
                    "StateMachineArn": live_arn,
                    "Name": jsonata(_NAME),
                    "Input": jsonata(f"$string({{'Comment': {comment}}})"),
                },
                assign={"retraining": jsonata("$states.result.ExecutionArn")},
                timeout_seconds=CALL_SECONDS,
                retry=(_BUSY,),
                catch=(
                    Catch(
                        errors=(_BEFORE,),
                        assign={"retraining": jsonata(_NOT_AGAIN)},
                        next=after,
                    ),
                    keep_failure(_RETRAIN),
                ),
                next=after,
                permissions=(Permission(statement=allowed),),
            ),
        }

    return states


def tell_found(_after: str) -> Mapping[str, State]:
    """What was found, where the report is, and what was started."""
    sure = (Finding.VERDICT, Finding.REASON, Finding.COUNT, Finding.COLUMNS, Finding.ROWS)
    found = {str(key): jsonata(f"$found.{key}") for key in sure}
    for key in (Finding.INDEX, Finding.QUALITY, Finding.REPORT):
        found[key] = jsonata(f"$exists($found.{key}) ? $found.{key} : null")
    return {
        _DONE: Finish(
            output={
                contract.ENDPOINT_NAME_INPUT: jsonata("$endpoint_name"),
                contract.MODEL_PACKAGE_ARN_INPUT: jsonata("$parent"),
                "Since": jsonata("$since"),
                "Until": jsonata("$until"),
                **found,
                Finding.RETRAINING: jsonata("$retraining"),
            }
        )
    }
