"""Delete configurations, models and versions beyond the last ones; the endpoint serves, whatever becomes of that."""

from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import aws_lambda as lambda_

from lambdas.tidy import contract
from lambdas.tidy.contract import Answer
from stacks.pipeline import function_tasks
from stacks.pipeline.asl import Catch, Task, jsonata
from stacks.pipeline.failure import CAUSE
from stacks.pipeline.step import Step

# What must be assigned before, and the key of the output that says what was deleted.
VARIABLES: Final[Mapping[str, Any]] = {"tidied": jsonata("{}")}
OUTPUT: Final[Mapping[str, Any]] = {"Tidied": jsonata("$tidied")}
_ENTRY: Final = "Tidy"


def tidy(function: lambda_.IFunction) -> Step:
    """Call the function; `$tidied` is what it has deleted, or why it could not."""
    return lambda after: {
        _ENTRY: Task(
            resource=function_tasks.INVOKE,
            arguments={
                "FunctionName": function.function_arn,
                "Payload": {contract.TIME: jsonata("$states.context.State.EnteredTime")},
            },
            timeout_seconds=contract.TIMEOUT_SECONDS,
            assign={"tidied": jsonata("$states.result.Payload")},
            retry=(function_tasks.BUSY,),
            catch=(Catch(errors=("States.ALL",), assign={"tidied": {Answer.LEFT: jsonata(CAUSE)}}, next=after),),
            next=after,
            permissions=(function_tasks.allow_invoking(function),),
        )
    }
