"""Name an execution that reads documents, and count what it is about to read, before anything is paid for."""

from collections.abc import Mapping
from typing import Final

from headrace.documents.contract import RAW_PREFIX, WORK_PREFIX, Action, Request
from stacks.pipeline import names
from stacks.pipeline.asl import Catch, Choice, Pass, State, jsonata
from stacks.pipeline.document_tasks import DocumentTasks
from stacks.pipeline.execution_input import refuse, refuse_other_inputs
from stacks.pipeline.failure import FAILED, FUNCTION_CAUSE, assign_failure
from stacks.pipeline.step import Step

_READ: Final = "Read Input"
_CHECK: Final = "Check Input"
_SURVEY: Final = "Survey"
_EXAMPLE: Final = f'{{}} or {{"{Request.PREFIX}": "{RAW_PREFIX}2026/"}}'
_LONGEST: Final = 512


def name_reading() -> Step:
    """Documents are below `$prefix` of the raw bucket, and everything about them below `$folder` of the work bucket."""
    prefix = f"$request.{Request.PREFIX}"
    right = f"$substring({prefix}, 0, {len(RAW_PREFIX)}) = '{RAW_PREFIX}' and $length({prefix}) <= {_LONGEST}"
    wrong = refuse(
        f"$exists({prefix}) and ($type({prefix}) = 'string' ? $not({right}) : true)",
        f'"{Request.PREFIX}: found " & $string({prefix}) & "; allowed: a prefix that begins with \'{RAW_PREFIX}\', '
        f'of at most {_LONGEST} characters"',
    )
    name = names.name_from_execution()
    read = Pass(
        assign={
            "request": jsonata("$states.input"),
            "job_name": jsonata(name),
            "execution": jsonata(name),
            "folder": jsonata(f"'{WORK_PREFIX}' & {name} & '/'"),
            "prefix": jsonata(
                f"$exists($states.input.{Request.PREFIX}) ? $states.input.{Request.PREFIX} : '{RAW_PREFIX}'"
            ),
            "map_results": {},
        },
        next=_CHECK,
    )

    def states(after: str) -> Mapping[str, State]:
        rules = (*refuse_other_inputs([Request.PREFIX], example=_EXAMPLE), wrong)
        return {_READ: read, _CHECK: Choice(rules=rules, default=after)}

    return states


def survey_documents(tasks: DocumentTasks) -> Step:
    """List and count the documents, into `$survey`, with what reading them will cost; more than allowed is refused."""

    def states(after: str) -> Mapping[str, State]:
        return {
            _SURVEY: tasks.ask_function(
                Action.SURVEY,
                {
                    Request.PREFIX: "$prefix",
                    Request.NAME: "$job_name",
                    Request.STARTED: "$string($states.context.Execution.StartTime)",
                },
                into="survey",
                next_state=after,
                catch=Catch(errors=("States.ALL",), assign=assign_failure("SurveyFailed", FUNCTION_CAUSE), next=FAILED),
            )
        }

    return states
