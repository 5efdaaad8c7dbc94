"""How executions come to each task of the state machines, and what they have made when they have gone well."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, Final

from headrace.contract import (
    MODEL_DATA_URL_INPUT,
    MODEL_PACKAGE_ARN_INPUT,
    UNCHANGED_SECONDS_INPUT,
    EndpointAction,
)
from tests.end_to_end import stopped_endpoints
from tests.end_to_end.fault_stage import BIG_MART, DRIFT_CHECKS, IMAGES, NORMALIZER, Stage
from tests.end_to_end.tiny_programs import Behaviour

Given = Mapping[str, Any]
# What an execution is given, from the stage and its name.
Give = Callable[[Stage, str], Given]
Around = Callable[[Stage, str], AbstractContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong on the way, for as long as the execution is not redriven."""

    preset: str
    operation: str
    state: str = ""


@dataclass(frozen=True, kw_only=True)
class Way:
    """How executions come to some tasks.

    Args:
        give: Their input.
        machine: The state machine.
        around: What is there before and gone afterwards.
        behaviour: What their programs do.
        fault: What goes wrong on the way.
        ends: The error and the state that they fail with even so; nothing if they succeed.
        outcome: What they come to.
        jobs: How many jobs they complete, apart from rehearsals.
        made: What they leave that costs or belongs to that, by its kind.
        gone: What of that was there before and is not then.
        versions: How many versions they make.
        serves: Whether the endpoint has another model then, or is no longer there, or is there again.
    """

    give: Give
    machine: str = BIG_MART
    around: Around = lambda _stage, _name: nullcontext()
    behaviour: Behaviour = Behaviour.WELL
    fault: Fault | None = None
    ends: tuple[str, str] | None = None
    outcome: str = "SERVING"
    jobs: int = 0
    made: Mapping[str, int] = field(default_factory=lambda: {"model": 1, "config": 1})
    gone: Mapping[str, int] = field(default_factory=dict)
    versions: int = 0
    serves: bool = True


def _give_version(stage: Stage, _name: str) -> Given:
    return {MODEL_PACKAGE_ARN_INPUT: stage.choose_version()[1]}


def _give_own_endpoint(stage: Stage, name: str) -> Given:
    return {**_give_version(stage, name), "EndpointName": name}


@contextmanager
def _with_turn_of_an_ended_one(stage: Stage, _name: str) -> Iterator[None]:
    stage.put_turn(stage.find_ended())
    yield


@contextmanager
def _with_what_is_compared(stage: Stage, _name: str) -> Iterator[None]:
    stage.bring_what_is_compared()
    yield


@contextmanager
def _with_own_endpoint(stage: Stage, name: str) -> Iterator[None]:
    try:
        yield
    finally:
        stage.drop_endpoint(name)


@contextmanager
def _with_machines_of_another_type(stage: Stage, name: str) -> Iterator[None]:
    stage.create_endpoint(name, "ml.m5.xlarge")
    stage.scale_endpoint(name)
    with _with_own_endpoint(stage, name):
        yield


_VERSION: Final = Way(give=_give_version)
_TRAINING: Final = Way(give=lambda _stage, _name: {}, jobs=2, versions=1)
_OWN_ENDPOINT: Final = Way(
    give=_give_own_endpoint, around=_with_own_endpoint, made={"model": 1, "config": 1, "endpoint": 1}, serves=False
)
_ARCHIVE: Final = Way(
    give=lambda stage, _name: {MODEL_DATA_URL_INPUT: stage.find_archive()},
    outcome="PENDING_APPROVAL",
    made={},
    versions=1,
    serves=False,
)
_REFUSED: Final = Way(
    give=lambda _stage, _name: {}, behaviour=Behaviour.REFUSED, outcome="REFUSED", jobs=2, made={}, serves=False
)
_ENDED_TURN: Final = Way(give=_give_version, around=_with_turn_of_an_ended_one)
_OTHER_TYPE: Final = Way(give=_give_own_endpoint, around=_with_machines_of_another_type, serves=False)
_FAILING: Final = Way(
    give=_give_version,
    fault=Fault(preset="denied", operation="sagemaker:CreateEndpointConfig"),
    ends=("CreateEndpointConfigFailed", "Create Endpoint Config"),
)
_ROLLED_BACK: Final = Way(
    give=_give_version,
    fault=Fault(preset="unhealthy-later", operation="sagemaker:UpdateEndpoint"),
    ends=("EndpointRolledBack", "Endpoint In Service"),
)
_BATCH: Final = Way(
    machine=IMAGES,
    give=lambda stage, _name: {MODEL_PACKAGE_ARN_INPUT: stage.versions[IMAGES]},
    outcome="TRANSFORMED",
    jobs=1,
    made={"model": 1},
    serves=False,
)
_BULK: Final = Way(
    machine=NORMALIZER,
    give=lambda _stage, _name: {"Name": "small", "Source": "images/photographs/"},
    outcome="",
    jobs=1,
    made={},
    serves=False,
)
_FILE_SYSTEM: Final = Way(
    machine=IMAGES,
    give=lambda _stage, _name: {},
    outcome="TRANSFORMED",
    jobs=2,
    made={"model": 1},
    versions=1,
    serves=False,
)
_CHECK: Final = Way(
    machine=DRIFT_CHECKS,
    give=lambda _stage, _name: {},
    around=_with_what_is_compared,
    outcome="",
    jobs=1,
    made={},
    serves=False,
)
STOP: Final = Way(
    give=lambda _stage, _name: stopped_endpoints.give(EndpointAction.STOP),
    around=stopped_endpoints.started_again,
    outcome="STOPPED",
    made={},
    gone={"endpoint": 1},
)
STOP_UNSEEN: Final = replace(
    STOP, fault=Fault(preset="throttle", operation="sagemaker:DescribeEndpoint", state="Look At Deletion")
)
# It has never served one configuration for so long.
_KEEP: Final = replace(
    STOP,
    give=lambda _stage, _name: stopped_endpoints.give(EndpointAction.STOP, **{UNCHANGED_SECONDS_INPUT: 1_000_000}),
    outcome="NOT_IDLE",
    gone={},
    serves=False,
)
_NOTHING_THERE: Final = replace(
    STOP, around=stopped_endpoints.stopped, outcome="NOTHING_TO_STOP", gone={}, serves=False
)
START: Final = Way(
    give=lambda _stage, _name: stopped_endpoints.give(EndpointAction.START),
    around=stopped_endpoints.stopped,
    outcome="STARTED",
    made={"endpoint": 1},
)
_STANDS: Final = replace(START, around=stopped_endpoints.started_again, outcome="STANDING", made={}, serves=False)
_NOTHING: Final = replace(
    START, around=stopped_endpoints.stopped_without_note, outcome="NOTHING_TO_START", made={}, serves=False
)
# The shortest way to each task that an update with a version does not pass.
_WAYS: Final[Mapping[str, Way]] = {
    **dict.fromkeys(("Preprocess", "Train", "Record"), _TRAINING),
    "Let Go Before Refused": _REFUSED,
    **dict.fromkeys(("Register", "Look At Version", "Let Go Before Pending Approval"), _ARCHIVE),
    **dict.fromkeys(("See Whose Turn", "Find Owner", "Take Turn Over"), _ENDED_TURN),
    "Create Endpoint": _OWN_ENDPOINT,
    "Forget Scaling": _OWN_ENDPOINT,
    "Register For Scaling": _OWN_ENDPOINT,
    "Schedule Scaling 1": _OWN_ENDPOINT,
    "Schedule Scaling 2": _OWN_ENDPOINT,
    "Track Requests": _OWN_ENDPOINT,
    "Release From Scaling": _OTHER_TYPE,
    **dict.fromkeys(
        ("Note Stopped Endpoint", "Release To Stop", "Delete Endpoint", "Look At Deletion", "Let Go Before Stopped"),
        STOP,
    ),
    "Let Go Before Not Idle For So Long": _KEEP,
    "Let Go Before Nothing To Stop": _NOTHING_THERE,
    **dict.fromkeys(("Find Served Note", "Read Served Note"), START),
    "Let Go Before Standing Already": _STANDS,
    "Let Go Before Nothing To Start": _NOTHING,
    "Find Alarm": _ROLLED_BACK,
    "Failed": _FAILING,
    "Transform": _BATCH,
    "Normalize": _BULK,
    **dict.fromkeys(("Create File System", "See File System", "Delete File System"), _FILE_SYSTEM),
    **dict.fromkeys(
        (
            "Find Profile",
            "Find Captured Days",
            "Find Days Of Last Month",
            "Find Truth",
            "Check For Drift",
            "Publish Metrics",
            "Retrain",
        ),
        _CHECK,
    ),
}


def find_way(state: str) -> Way:
    """How executions come to a task: by an update with a version, unless another way is written down."""
    return _WAYS.get(state, _VERSION)
