"""Asks the endpoint golden requests: alarms see nothing where there is no traffic."""

from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import aws_lambda as lambda_

from lambdas.golden_requests.contract import Answer, Request
from stacks.pipeline import function_tasks
from stacks.pipeline.asl import Catch, Choice, Rule, State, Task, jsonata
from stacks.pipeline.failure import FAILED, assign_failure, keep_failure

# What must be assigned before: what the endpoint has answered last.
VARIABLES: Final[Mapping[str, Any]] = {"golden": {Answer.WRONG: 0, Answer.REASON: jsonata("''")}}
ASK: Final = "Ask Golden Requests"
ASK_LAST: Final = "Ask Serving Model"
# JSONata: what is wrong with the answers, to be added to a cause.
REASON: Final = f"($golden.{Answer.WRONG} > 0 ? ' ' & $golden.{Answer.REASON} & '.' : '')"
_JUDGE: Final = "Golden Requests Passed"


def ask_while_baking(function: lambda_.IFunction, *, then: str) -> Mapping[str, State]:
    """Ask once, into `$golden`; an answer that is wrong sets off the alarm that rolls the update back.

    A call that fails is tried again with the next look at the endpoint, and the last one decides.
    """
    again = Catch(errors=("States.ALL",), next=then)
    return {ASK: _ask(function, next_state=then, catch=again)}


def ask_last(function: lambda_.IFunction, *, then: str) -> Mapping[str, State]:
    """Ask what serves in the end, an endpoint's first model, too, and fail if an answer is wrong."""
    wrong = Rule(
        condition=f"$golden.{Answer.WRONG} > 0",
        next=FAILED,
        assign=assign_failure("GoldenRequestsFailed", f"'endpoint ' & $endpoint_name & ':' & {REASON}"),
    )
    return {
        ASK_LAST: _ask(function, next_state=_JUDGE, catch=keep_failure(ASK_LAST)),
        _JUDGE: Choice(rules=(wrong,), default=then),
    }


def _ask(function: lambda_.IFunction, *, next_state: str, catch: Catch) -> Task:
    return Task(
        resource=function_tasks.INVOKE,
        arguments={
            "FunctionName": function.function_arn,
            "Payload": {Request.ENDPOINT: jsonata("$endpoint_name")},
        },
        timeout_seconds=900,
        assign={"golden": jsonata("$states.result.Payload")},
        retry=(function_tasks.BUSY,),
        catch=(catch,),
        next=next_state,
        permissions=(function_tasks.allow_invoking(function),),
    )
