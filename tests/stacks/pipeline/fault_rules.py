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


class Family(StrEnum):
    """States of which the rules are the same."""

    JOB = "jobs"
    MAKING = "making something"
    CHANGING = "changing the endpoint"
    READING = "reading what there must be"
    COMPARING = "looking for the endpoint that serves"
    COMPARING_ONWARD = "looking for the version that serves"
    LOOKING = "looking before a change"
    WATCHING = "watching a change"
    TAKING = "taking the turn"
    SEEING = "seeing whose turn it is"
    OWNER = "looking at the turn's owner"
    CALLING = "functions that must succeed"
    TRYING = "functions that may fail"
    NOTING = "writing what may be left out"
    RELEASING = "giving the turn back"
    ENDING = "the failure state"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What must become of an error.

    Args:
        tries: How often the state is tried.
        goes_on: Whether the execution goes on as if the state had succeeded.
        error: The error that the execution then fails with; without one, `…Failed` with the state's name.
        end: The task that is next, if it neither fails nor goes on.
    """

    tries: int
    goes_on: bool = False
    error: str = ""
    end: str = "Failed"


FAMILIES: Final[Mapping[Family, tuple[str, ...]]] = {
    Family.JOB: ("Preprocess", "Train", "Rehearse", "Transform", "Normalize"),
    Family.MAKING: ("Register", "Save Model", "Create Endpoint Config"),
    Family.CHANGING: ("Create Endpoint", "Update Endpoint"),
    Family.READING: ("Read Version", "Look At Version"),
    Family.COMPARING: ("Find Serving Endpoint", "Read Serving Version"),
    Family.COMPARING_ONWARD: ("Find Serving Config", "Find Serving Model"),
    Family.LOOKING: ("Look For Endpoint",),
    Family.WATCHING: ("Describe Endpoint",),
    Family.TAKING: ("Take Turn", "Take Turn Over"),
    Family.SEEING: ("See Whose Turn",),
    Family.OWNER: ("Find Owner",),
    Family.CALLING: ("Record", "Ask Serving Model"),
    Family.TRYING: ("Ask Golden Requests", "Tidy"),
    Family.NOTING: ("Mark Served", "Find Alarm"),
    Family.RELEASING: ("Let Go", "Let Go Before Refused", "Let Go Before Pending Approval"),
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
    Family.SEEING: {**_rule(_ALL, 5, **_TURN), **_rule((Fault.UNREACHED,), 20, **_TURN)},
    Family.OWNER: {**_rule(_UNNAMED, 6), **_rule((Fault.UNREACHED,), 6), **_rule(_FINAL, 1)},
    Family.CALLING: {**_rule(_LAMBDA_BUSY, 6), **_rule(_LAMBDA_FINAL, 1)},
    Family.TRYING: {**_rule(_LAMBDA_BUSY, 6, goes_on=True), **_rule(_LAMBDA_FINAL, 1, goes_on=True)},
    Family.NOTING: {**_rule((*_UNNAMED, Fault.UNREACHED), 5, goes_on=True), **_rule(_FINAL, 1, goes_on=True)},
    Family.RELEASING: {**_rule(_ALL, 1, goes_on=True), **_rule((Fault.UNREACHED,), 4, goes_on=True)},
    # Its own error is that of the execution.
    Family.ENDING: {
        **_rule(_LAMBDA_BUSY, 6, end="(the execution)"),
        **_rule(_LAMBDA_FINAL, 1, end="(the execution)"),
    },
}
# States that deviate from the rules of their family.
DEVIATIONS: Final[Mapping[str, Mapping[Fault, Outcome]]] = {
    # Not finding the endpoint, which is why it is created, counts as a failed attempt, too.
    "Create Endpoint": {
        **_rule((*_UNNAMED, Fault.MODELLED, Fault.TIMEOUT), 3),
        **_rule((Fault.UNREACHED,), 15),
    },
    # Here the turn can be seen, which is none of the eight failures.
    "Take Turn Over": {**_rule(_ALL, 8, **_TURN), **_rule((Fault.UNREACHED,), 32, **_TURN)},
}

# Errors that are an answer, and where they lead instead.
ANSWERS: Final[Mapping[tuple[str, str], str]] = {
    # An owner that nothing is known of has ended long ago.
    ("Find Owner", "Sfn.ExecutionDoesNotExistException"): "Take Turn Over",
}
# What the causes of errors say that have the same name.
_CAUSES: Final = {
    Fault.THROTTLED: "Rate exceeded",
    Fault.DENIED: "User: role is not authorized to perform: this",
    Fault.INVALID: "1 validation error detected: Value at 'x' failed to satisfy constraint",
    Fault.INTERNAL: "Internal failure",
}
_JOB: Final = '{"FailureReason": "AlgorithmError: too few rows"}'
_SDK_NAMES: Final = {"sagemaker": "SageMaker", "s3": "S3", "sfn": "Sfn", "cloudwatch": "CloudWatch"}
_BOTOCORE_NAMES: Final = {"sfn": "stepfunctions"}
_LAMBDA: Final = {
    "Lambda.TooManyRequestsException": Fault.THROTTLED,
    "Lambda.ServiceException": Fault.INTERNAL,
}


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
        fault = Fault.NO_CAPACITY if code.startswith("ResourceLimitExceeded") else Fault.MODELLED
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
    """The errors that an operation's model declares, as the SDK for Java names their classes."""
    model = get_session().get_service_model(_BOTOCORE_NAMES.get(service, service))
    shapes = model.operation_model(f"{operation[0].upper()}{operation[1:]}").error_shapes
    return sorted({f"{shape.name.removesuffix('Exception')}Exception" for shape in shapes})
