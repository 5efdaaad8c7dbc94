"""Classify the documents of an execution with an endpoint that is there for it alone, and deleted after.

Whatever goes wrong in between leads to the state that deletes the endpoint. What is stopped or takes too long leaves it
to the function that ends executions. Documents that were read and not classified are partly read.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from headrace.documents.contract import (
    CLASSES_FOLDER,
    Action,
    Classified,
    Listed,
    Mode,
    Request,
    Surveyed,
    Texts,
    name_endpoints,
)
from stacks.pipeline.asl import (
    ALWAYS,
    CALL_SECONDS,
    Catch,
    Choice,
    Fail,
    Finish,
    Retry,
    Rule,
    State,
    Task,
    Wait,
    jsonata,
)
from stacks.pipeline.classifier_tasks import ClassifierTasks
from stacks.pipeline.document_tasks import COMPREHEND_BUSY, S3_BUSY, DocumentTasks, call
from stacks.pipeline.failure import CAUSE, REDRIVES, keep_failure
from stacks.pipeline.maps import DistributedMap
from stacks.pipeline.step import Step

_LIST: Final = "List Texts"
_ANY: Final = "Anything To Classify"
_CREATE: Final = "Create Endpoint"
_SEE: Final = "See Endpoint"
_READY: Final = "Endpoint Ready"
_WAIT: Final = "Wait For Endpoint"
_CLASSIFY: Final = "Classify Texts"
_DELETE: Final = "Delete Endpoint"
_READ_TEXT: Final = "Read Text"
_CLASSIFY_TEXT: Final = "Classify Text"
_KEEP: Final = "Keep Classes"
_NOT_KEPT: Final = "Classes Not Kept"
_POLL_SECONDS: Final = 30
# Endpoints are there after ten minutes, usually.
_MOST_POLLS: Final = 120
_NAME_DIGITS: Final = 12
_LONGEST_FAULT: Final = 400
_WRONG: Final = f"$states.context.State.Name & ': ' & $string($states.errorOutput.Error) & ': ' & {CAUSE}"
_SAID: Final = f"$substring({_WRONG}, 0, {_LONGEST_FAULT})"
# One that is being made can be deleted only when it is there.
_IN_USE: Final = Retry(
    errors=("Comprehend.ResourceInUseException",), interval_seconds=10, max_attempts=40, longest_seconds=90
)


@dataclass(frozen=True, kw_only=True)
class Classification:
    """How documents are classified.

    Args:
        mode: Whether a document has one class or several labels.
        units: The inference units of the endpoint.
    """

    mode: Mode
    units: int


def classify_documents(tasks: DocumentTasks, classifiers: ClassifierTasks, how: Classification) -> Step:
    """Classify the texts that have been unpacked; `$classified` says why nothing was, if nothing was."""

    def states(after: str) -> Mapping[str, State]:
        fault = Catch(errors=("States.ALL",), assign={"classified": {Classified.FAULT: jsonata(_SAID)}}, next=_DELETE)
        return {
            _LIST: tasks.ask_function(
                Action.LIST_TEXTS,
                {Request.NAME: "$job_name"},
                into="texts",
                next_state=_ANY,
                catch=keep_failure(_LIST),
            ),
            _ANY: _choose_any(classifiers.environment, after),
            _CREATE: _create(classifiers, how, fault),
            _SEE: _see(classifiers, fault),
            _READY: _choose_ready(),
            _WAIT: Wait(seconds=_POLL_SECONDS, next=_SEE),
            _CLASSIFY: _classify(tasks, classifiers, how, fault),
            _DELETE: _delete(classifiers, after),
        }

    return states


def _choose_any(environment: str, after: str) -> Choice:
    """An endpoint of another name for each execution and redrive, so that none is met that another has made."""
    nothing = {"classified": {Classified.FAULT: ""}}
    digest = (
        "$hash($states.context.Execution.Id & $string($states.context.Execution.StartTime) & "
        f"$string({REDRIVES}), 'SHA-256')"
    )
    named = {"endpoint_name": jsonata(f"'{name_endpoints(environment)}' & $substring({digest}, 0, {_NAME_DIGITS})")}
    return Choice(
        rules=(
            Rule(condition=f"$texts.{Texts.COUNT} = 0", next=after, assign=nothing),
            Rule(condition=ALWAYS, next=_CREATE, assign={**nothing, **named, "endpoint_polls": 0}),
        ),
        default=_CREATE,
    )


def _create(classifiers: ClassifierTasks, how: Classification, fault: Catch) -> Task:
    arguments: dict[str, Any] = {
        "EndpointName": jsonata("$endpoint_name"),
        "ModelArn": jsonata(f"$survey.{Surveyed.CLASSIFIER}"),
        "DesiredInferenceUnits": how.units,
        "ClientRequestToken": jsonata("$endpoint_name"),
        **({"DataAccessRoleArn": classifiers.role.role_arn} if classifiers.key else {}),
    }
    return classifiers.ask(
        "CreateEndpoint",
        classifiers.tag(arguments),
        next_state=_SEE,
        catch=(fault,),
        permissions=(
            classifiers.allow_endpoints("CreateEndpoint", "TagResource", also_models=True),
            *(classifiers.allow_role() if classifiers.key else ()),
        ),
    )


def _see(classifiers: ClassifierTasks, fault: Catch) -> Task:
    found = "$states.result.EndpointProperties"
    return classifiers.ask(
        "DescribeEndpoint",
        {"EndpointArn": jsonata(classifiers.name_endpoint_arn())},
        assign={
            "endpoint": {
                "Status": jsonata(f"{found}.Status"),
                "Reason": jsonata(f"$exists({found}.Message) ? {found}.Message : ''"),
            },
            "endpoint_polls": jsonata("$endpoint_polls + 1"),
        },
        next_state=_READY,
        catch=(fault,),
        permissions=(classifiers.allow_endpoints("DescribeEndpoint"),),
    )


def _choose_ready() -> Choice:
    minutes = _POLL_SECONDS * _MOST_POLLS // 60
    slow = f"'the endpoint is not in service after {minutes} minutes'"
    broken = "'the endpoint is ' & $endpoint.Status & ': ' & $endpoint.Reason"
    return Choice(
        rules=(
            Rule(condition="$endpoint.Status = 'IN_SERVICE'", next=_CLASSIFY),
            Rule(condition=f"$endpoint.Status = 'CREATING' and $endpoint_polls < {_MOST_POLLS}", next=_WAIT),
            Rule(
                condition="$endpoint.Status = 'CREATING'",
                next=_DELETE,
                assign={"classified": {Classified.FAULT: jsonata(slow)}},
            ),
            Rule(condition=ALWAYS, next=_DELETE, assign={"classified": {Classified.FAULT: jsonata(broken)}}),
        ),
        default=_DELETE,
    )


def _classify(tasks: DocumentTasks, classifiers: ClassifierTasks, how: Classification, fault: Catch) -> DistributedMap:
    bucket = tasks.work.bucket_name
    return DistributedMap(
        states=_list_states(tasks, classifiers, how),
        label="Texts",
        reader={"Bucket": bucket, "Key": jsonata(f"$texts.{Texts.LIST}")},
        writer={"Bucket": bucket, "Prefix": jsonata(f"$folder & '{CLASSES_FOLDER}map/'")},
        selector={
            "Text": jsonata(f"$states.context.Map.Item.Value.{Listed.KEY}"),
            "Classes": jsonata(
                f"$folder & '{CLASSES_FOLDER}' & $string($states.context.Map.Item.Value.{Listed.NUMBER}) & '.json'"
            ),
            "Endpoint": jsonata(classifiers.name_endpoint_arn()),
        },
        concurrency=how.units,
        next=_DELETE,
        catch=(fault,),
        permissions=tasks.allow_files("s3:GetObject", "s3:PutObject"),
    )


def _list_states(tasks: DocumentTasks, classifiers: ClassifierTasks, how: Classification) -> Mapping[str, State]:
    """What is done with each text; whatever becomes of it is kept."""
    fault = Catch(errors=("States.ALL",), assign={"kept": {Classified.FAULT: jsonata(_SAID)}}, next=_KEEP)
    errors, found = "$states.result.Errors", "Classes" if how.mode == Mode.MULTI_CLASS else "Labels"
    wrong = {"fault_error": jsonata("$string($states.errorOutput.Error)"), "fault_cause": jsonata(CAUSE)}
    return {
        _READ_TEXT: Task(
            resource=call("s3", "getObject"),
            arguments={"Bucket": tasks.work.bucket_name, "Key": jsonata("$states.input.Text")},
            assign={
                "text": jsonata("$states.result.Body"),
                "place": jsonata("$states.input.Classes"),
                "endpoint": jsonata("$states.input.Endpoint"),
            },
            timeout_seconds=CALL_SECONDS,
            next=_CLASSIFY_TEXT,
            retry=(S3_BUSY,),
            catch=(
                Catch(
                    errors=("States.ALL",),
                    assign={
                        "place": jsonata("$states.input.Classes"),
                        "kept": {Classified.FAULT: jsonata(_SAID)},
                    },
                    next=_KEEP,
                ),
            ),
            permissions=tasks.allow_files("s3:GetObject"),
        ),
        _CLASSIFY_TEXT: classifiers.ask(
            "ClassifyDocument",
            {"Text": jsonata("$text"), "EndpointArn": jsonata("$endpoint")},
            assign={
                "kept": {
                    Classified.CLASSES: jsonata(f"$states.result.{found}"),
                    Classified.ERRORS: jsonata(f"$exists({errors}) ? [{errors}.ErrorMessage] : []"),
                }
            },
            next_state=_KEEP,
            catch=(fault,),
            permissions=(classifiers.allow_endpoints("ClassifyDocument"),),
        ),
        _KEEP: Task(
            resource=call("s3", "putObject"),
            arguments={
                "Bucket": tasks.work.bucket_name,
                "Key": jsonata("$place"),
                "Body": jsonata("$kept"),
                "ContentType": "application/json",
            },
            timeout_seconds=CALL_SECONDS,
            next="Text Done",
            retry=(S3_BUSY,),
            catch=(Catch(errors=("States.ALL",), assign=wrong, next=_NOT_KEPT),),
            permissions=tasks.allow_files("s3:PutObject"),
        ),
        "Text Done": Finish(output={}),
        _NOT_KEPT: Fail(error=jsonata("$fault_error"), cause=jsonata("$fault_cause")),
    }


def _delete(classifiers: ClassifierTasks, after: str) -> Task:
    """It costs as long as it is there; what cannot be deleted fails the execution, which people are told of."""
    return Task(
        resource=call("comprehend", "deleteEndpoint"),
        arguments={"EndpointArn": jsonata(classifiers.name_endpoint_arn())},
        timeout_seconds=CALL_SECONDS,
        next=after,
        retry=(_IN_USE, COMPREHEND_BUSY),
        catch=(
            Catch(errors=("Comprehend.ResourceNotFoundException",), next=after),
            keep_failure(_DELETE),
        ),
        permissions=(classifiers.allow_endpoints("DeleteEndpoint"),),
    )
