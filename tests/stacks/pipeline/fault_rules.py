"""Which errors the tasks of the state machines can get, and the rules of what must become of them.

The rules are written down here, not read from the definitions: for each kind of state what each kind of error leads to.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from botocore.session import get_session

from headrace.local.engine.asl.failures import StateFailedError


class Fault(StrEnum):
    """A kind of error, as an operator would call it."""

    THROTTLED = "throttled"
    DENIED = "access denied"
    INVALID = "validation"
    INTERNAL = "internal failure"
    UNREACHED = "service not reached"
    NO_CAPACITY = "quota used up"
    MODELLED = "another error that the API declares"
    JOB_FAILED = "job fails"
    FUNCTION_FAILED = "function fails"
    TIMEOUT = "takes too long"
    PASSING = "scaling is at work, or does not see the endpoint yet"


class Family(StrEnum):
    """States of which the rules are the same."""

    JOB = "jobs"
    MAKING = "making something"
    CHANGING = "changing the endpoint"
    READING = "reading what there must be, and noting what is stopped"
    COMPARING = "looking for the endpoint that serves"
    COMPARING_ONWARD = "looking for the version that serves"
    LOOKING = "looking before a change, and after a deletion"
    WATCHING = "watching a change"
    TAKING = "taking the turn"
    SEEING = "seeing whose turn it is"
    EXECUTION = "looking at executions, and starting one"
    CALLING = "functions that must succeed"
    TRYING = "functions that may fail"
    NOTING = "reading and writing what may be left out"
    RELEASING = "giving the turn back"
    UNSCALING = "taking the endpoint out of scaling before a change"
    SCALING = "having the endpoint scaled"
    DELETING = "deleting what costs"
    ENDING = "the failure state"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What must become of an error.

    Args:
        tries: How often the state is tried.
        goes_on: Whether the execution goes on as if the state had succeeded.
        way: The state that it goes on with, where that is not the next one.
        error: The error that the execution then fails with; without one, `…Failed` with the state's name.
        end: The task that is next, if it neither fails nor goes on.
    """

    tries: int
    goes_on: bool = False
    way: str = ""
    error: str = ""
    end: str = "Failed"


FAMILIES: Final[Mapping[Family, tuple[str, ...]]] = {
    Family.JOB: ("Preprocess", "Train", "Rehearse", "Transform", "Normalize", "Check For Drift"),
    Family.MAKING: ("Register", "Save Model", "Create Endpoint Config", "Create File System", "Publish Metrics"),
    Family.CHANGING: ("Create Endpoint", "Update Endpoint"),
    Family.READING: (
        "Read Version",
        "Look At Version",
        "Find Archive",
        "Note Stopped Endpoint",
        "Find Served Note",
        "Read Served Note",
        "See File System",
        "Find Profile",
        "Find Captured Days",
        "Find Days Of Last Month",
        "Find Truth",
    ),
    Family.COMPARING: ("Find Serving Endpoint", "Read Serving Version"),
    Family.COMPARING_ONWARD: ("Find Serving Config", "Find Serving Model"),
    Family.LOOKING: ("Look For Endpoint", "Look At Deletion"),
    Family.WATCHING: ("Describe Endpoint",),
    Family.TAKING: ("Take Turn", "Take Turn Over"),
    Family.SEEING: ("See Whose Turn",),
    Family.EXECUTION: ("Find Owner", "Retrain"),
    Family.CALLING: ("Record", "Ask Serving Model"),
    Family.TRYING: ("Ask Golden Requests", "Tidy"),
    Family.NOTING: ("Mark Served", "Find Alarm", "Note Served", "See Whose Endpoint"),
    Family.RELEASING: (
        "Let Go",
        "Let Go Before Refused",
        "Let Go Before Pending Approval",
        "Let Go Before Stopped",
        "Let Go Before Standing Already",
        "Let Go Before Nothing To Stop",
        "Let Go Before Nothing To Start",
        "Let Go Before Not Idle For So Long",
    ),
    Family.UNSCALING: ("Release From Scaling", "Release To Stop"),
    Family.SCALING: (
        "Look At Scaling",
        "Forget Scaling",
        "Register For Scaling",
        "Track Requests",
        "Schedule Scaling 1",
        "Schedule Scaling 2",
    ),
    Family.DELETING: ("Delete Endpoint", "Delete File System"),
    Family.ENDING: ("Failed",),
}
FAMILY_OF: Final = {state: family for family, states in FAMILIES.items() for state in states}

# Step Functions gives throttling, refusals and internal failures of a service one name, so they are treated alike.
_UNNAMED: Final = (Fault.THROTTLED, Fault.DENIED, Fault.INVALID, Fault.INTERNAL)
_FINAL: Final = (Fault.MODELLED, Fault.NO_CAPACITY, Fault.TIMEOUT, Fault.JOB_FAILED, Fault.FUNCTION_FAILED)
_ALL: Final = tuple(Fault)
_LAMBDA_BUSY: Final = (*_UNNAMED, Fault.UNREACHED)
_LAMBDA_FINAL: Final = (Fault.MODELLED, Fault.FUNCTION_FAILED, Fault.TIMEOUT)


def _rule(faults: tuple[Fault, ...], tries: int, **more: Any) -> dict[Fault, Outcome]:
    return {fault: Outcome(tries=tries, **more) for fault in faults}


_COMPARED: Final = {"error": "FindServingFailed"}
_TURN: Final = {"error": "TakeTurnFailed"}
_SCALING: Final = {"goes_on": True, "way": "Scaling Not As Asked"}
RULES: Final[Mapping[Family, Mapping[Fault, Outcome]]] = {
    Family.JOB: {
        **_rule((*_UNNAMED, Fault.UNREACHED), 5),
        **_rule(_FINAL, 1),
        # Instances come free when other jobs end.
        **_rule((Fault.NO_CAPACITY,), 7),
    },
    Family.MAKING: {**_rule((*_UNNAMED, Fault.UNREACHED), 5), **_rule(_FINAL, 1)},
    # The endpoint may be another's by then, so each further try looks at it again.
    Family.CHANGING: {
        **_rule(_UNNAMED, 4),
        **_rule((Fault.UNREACHED,), 20),
        **_rule(_FINAL, 4),
        **_rule((Fault.NO_CAPACITY,), 7),
    },
    Family.READING: {**_rule((*_UNNAMED, Fault.UNREACHED), 5), **_rule(_FINAL, 1)},
    # What serves decides what is compared with, and a version in service may not be overwritten unseen: asks again.
    Family.COMPARING: {
        **_rule(_UNNAMED, 4, **_COMPARED),
        **_rule((Fault.UNREACHED,), 20, **_COMPARED),
        **_rule(_FINAL, 4, **_COMPARED),
    },
    Family.COMPARING_ONWARD: {
        **_rule((*_UNNAMED, Fault.UNREACHED), 20, **_COMPARED),
        **_rule(_FINAL, 4, **_COMPARED),
    },
    Family.LOOKING: {**_rule(_UNNAMED, 4), **_rule((Fault.UNREACHED,), 20), **_rule(_FINAL, 4)},
    # The change goes on in SageMaker whatever is seen of it, so whatever the name, it looks again.
    Family.WATCHING: {**_rule(_ALL, 4), **_rule((Fault.TIMEOUT,), 1)},
    # Of the eight failures that it allows, half are those of seeing whose turn it is.
    Family.TAKING: {**_rule(_ALL, 4, **_TURN), **_rule((Fault.UNREACHED,), 16, **_TURN)},
    Family.SEEING: {**_rule(_ALL, 4, **_TURN), **_rule((Fault.UNREACHED,), 16, **_TURN)},
    Family.EXECUTION: {**_rule(_UNNAMED, 6), **_rule((Fault.UNREACHED,), 6), **_rule(_FINAL, 1)},
    Family.CALLING: {**_rule(_LAMBDA_BUSY, 6), **_rule(_LAMBDA_FINAL, 1)},
    Family.TRYING: {**_rule(_LAMBDA_BUSY, 6, goes_on=True), **_rule(_LAMBDA_FINAL, 1, goes_on=True)},
    Family.NOTING: {**_rule((*_UNNAMED, Fault.UNREACHED), 5, goes_on=True), **_rule(_FINAL, 1, goes_on=True)},
    Family.RELEASING: {**_rule(_ALL, 1, goes_on=True), **_rule((Fault.UNREACHED,), 4, goes_on=True)},
    # The endpoint serves, and an update that scaling is in the way of says so itself.
    Family.UNSCALING: {
        **_rule((*_UNNAMED, Fault.UNREACHED), 5, goes_on=True),
        **_rule(_FINAL, 1, goes_on=True),
        **_rule((Fault.PASSING,), 6, goes_on=True),
    },
    Family.SCALING: {
        **_rule((*_UNNAMED, Fault.UNREACHED), 5, **_SCALING),
        **_rule(_FINAL, 1, **_SCALING),
        **_rule((Fault.PASSING,), 6, **_SCALING),
    },
    # The endpoint itself says what has become of it, and then why it stands. A file system is deleted at the end of
    # the execution.
    Family.DELETING: {**_rule((*_UNNAMED, Fault.UNREACHED), 5, goes_on=True), **_rule(_FINAL, 1, goes_on=True)},
    # Its own error is that of the execution.
    Family.ENDING: {
        **_rule(_LAMBDA_BUSY, 6, end="(the execution)"),
        **_rule(_LAMBDA_FINAL, 1, end="(the execution)"),
    },
}
# States that deviate from the rules of their family.
DEVIATIONS: Final[Mapping[str, Mapping[Fault, Outcome]]] = {
    # Here the turn can be seen: of the eight failures, the first is that of the write which was refused before.
    "Take Turn Over": {**_rule(_ALL, 7, **_TURN), **_rule((Fault.UNREACHED,), 28, **_TURN)},
}

# Stands for the state that follows when all has gone well.
NEXT: Final = "(the next state)"
# Errors that are an answer, and where they lead instead.
ANSWERS: Final[Mapping[tuple[str, str], str]] = {
    # An owner that nothing is known of has ended long ago.
    ("Find Owner", "Sfn.ExecutionDoesNotExistException"): "Take Turn Over",
    # The same drift has started it before.
    ("Retrain", "Sfn.ExecutionAlreadyExistsException"): NEXT,
    # An endpoint that was never scaled is what is asked for.
    ("Release From Scaling", "ApplicationAutoScaling.ObjectNotFoundException"): NEXT,
    ("Release To Stop", "ApplicationAutoScaling.ObjectNotFoundException"): NEXT,
    ("Forget Scaling", "ApplicationAutoScaling.ObjectNotFoundException"): NEXT,
}
# What the causes of errors say that have the same name.
_CAUSES: Final = {
    Fault.THROTTLED: "Rate exceeded",
    Fault.DENIED: "User: role is not authorized to perform: this",
    Fault.INVALID: "1 validation error detected: Value at 'x' failed to satisfy constraint",
    Fault.INTERNAL: "Internal failure",
}
_JOB: Final = '{"FailureReason": "AlgorithmError: too few rows"}'
_SDK_NAMES: Final = {
    "applicationautoscaling": "ApplicationAutoScaling",
    "cloudwatch": "CloudWatch",
    "fsx": "FSx",
    "s3": "S3",
    "sagemaker": "SageMaker",
    "sfn": "Sfn",
}
_BOTOCORE_NAMES: Final = {"applicationautoscaling": "application-autoscaling", "sfn": "stepfunctions"}
_LAMBDA: Final = {
    "Lambda.TooManyRequestsException": Fault.THROTTLED,
    "Lambda.ServiceException": Fault.INTERNAL,
}
# Declared errors that are of another kind than most.
_DECLARED: Final = {
    "ResourceLimitExceededException": Fault.NO_CAPACITY,
    "LimitExceededException": Fault.NO_CAPACITY,
    "ServiceLimitExceededException": Fault.NO_CAPACITY,
    "ConcurrentUpdateException": Fault.PASSING,
    "FailedResourceAccessException": Fault.PASSING,
    "InternalServiceException": Fault.PASSING,
    "ObjectNotFoundException": Fault.PASSING,
    "InternalServerErrorException": Fault.INTERNAL,
}
# Those whose kind depends on the service.
_DECLARED_BY: Final = {"cloudwatch": {"InternalServiceException": Fault.INTERNAL}}


def find_rule(state: str, fault: Fault) -> Outcome:
    """What must become of an error of a state."""
    return DEVIATIONS.get(state, {}).get(fault) or RULES[FAMILY_OF[state]][fault]


def list_errors(resource: str) -> Iterator[tuple[Fault, StateFailedError]]:
    """Every error that a task of a resource can get: those of its API, and the common ones."""
    service, operation = resource.split(":::")[1].removeprefix("aws-sdk:").split(":")
    yield Fault.TIMEOUT, StateFailedError("States.Timeout", None)
    if service == "lambda":
        yield from _list_lambda_errors()
        return
    yield from _list_api_errors(service, operation.removesuffix(".sync"))
    name = _SDK_NAMES[service]
    unnamed = f"{name}.{name}Exception" if "aws-sdk" in resource else f"{name}.Amazon{name}Exception"
    yield from ((fault, StateFailedError(unnamed, cause)) for fault, cause in _CAUSES.items())
    yield Fault.UNREACHED, StateFailedError(f"{name}.SdkClientException", "Unable to execute HTTP request")
    if operation.endswith(".sync"):
        yield Fault.JOB_FAILED, StateFailedError("States.TaskFailed", _JOB)


def _list_api_errors(service: str, operation: str) -> Iterator[tuple[Fault, StateFailedError]]:
    for code in list_declared(service, operation):
        fault = {**_DECLARED, **_DECLARED_BY.get(service, {})}.get(code, Fault.MODELLED)
        yield fault, StateFailedError(f"{_SDK_NAMES[service]}.{code}", f"declared: {code}")


def _list_lambda_errors() -> Iterator[tuple[Fault, StateFailedError]]:
    for code in list_declared("lambda", "invoke"):
        error = f"Lambda.{code}"
        yield _LAMBDA.get(error, Fault.MODELLED), StateFailedError(error, f"declared: {code}")
    yield from ((fault, StateFailedError("Lambda.AWSLambdaException", cause)) for fault, cause in _CAUSES.items())
    yield Fault.UNREACHED, StateFailedError("Lambda.SdkClientException", "Unable to execute HTTP request")
    yield Fault.UNREACHED, StateFailedError("Lambda.ClientExecutionTimeoutException", "no answer")
    yield Fault.FUNCTION_FAILED, StateFailedError("ValueError", '{"errorMessage": "no such file"}')
    yield Fault.FUNCTION_FAILED, StateFailedError("Lambda.Unknown", "out of memory")


def list_declared(service: str, operation: str) -> list[str]:
    """The errors that an operation's model declares, as the SDK for Java names their classes.

    Its class for CloudWatch's InternalServiceFault is InternalServiceException.
    """
    model = get_session().get_service_model(_BOTOCORE_NAMES.get(service, service))
    shapes = model.operation_model(f"{operation[0].upper()}{operation[1:]}").error_shapes
    return sorted({f"{shape.name.removesuffix('Exception').removesuffix('Fault')}Exception" for shape in shapes})
