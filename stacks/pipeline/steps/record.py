"""Keep, beside the model, what it was made from, before anything else is done with it."""

from collections.abc import Mapping
from typing import Final

from aws_cdk import aws_lambda as lambda_

from lambdas.registrar import contract
from lambdas.registrar.contract import Answer, Request
from stacks.pipeline import function_tasks
from stacks.pipeline.asl import State, Task, jsonata
from stacks.pipeline.failure import keep_failure
from stacks.pipeline.step import Step

_RECORD: Final = "Record"


def record(registrar: lambda_.IFunction, images: Mapping[str, str], *, then: str) -> Step:
    """Keep the record of the job that made `$model_data`, into `$fingerprint`, `$record` and `$images`.

    Args:
        registrar: The function, which `lambdas.registrar.contract` describes.
        images: The URI of each container image of the workload, by its name.
        then: The state that comes after it.
    """

    def states(_after: str) -> Mapping[str, State]:
        return {
            _RECORD: Task(
                resource=function_tasks.INVOKE,
                arguments={
                    "FunctionName": registrar.function_arn,
                    "Payload": {
                        Request.EXECUTION: jsonata("$execution"),
                        Request.MODEL_DATA: jsonata("$model_data"),
                        Request.IMAGES: dict(images),
                    },
                },
                assign={
                    variable: jsonata(f"$states.result.Payload.{answer}")
                    for variable, answer in (
                        ("fingerprint", Answer.FINGERPRINT),
                        ("record", Answer.RECORD),
                        ("images", Answer.IMAGES),
                    )
                },
                timeout_seconds=contract.TIMEOUT_SECONDS,
                retry=(function_tasks.BUSY,),
                catch=(keep_failure(_RECORD),),
                next=then,
                permissions=(function_tasks.allow_invoking(registrar),),
            )
        }

    return states
