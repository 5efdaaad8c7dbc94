"""The rows of the fault matrix: each error of each task of the state machines, and what has become of it."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from headrace.local.engine.asl.failures import StateFailedError
from tests.stacks.conftest import VARIANTS, find_resources, parse_definition
from tests.stacks.executions import fill_tokens
from tests.stacks.pipeline.fault_rules import Fault, list_errors
from tests.stacks.pipeline.faults import EXECUTION, Answer, Walk, Walker

INPUTS: Final[Mapping[str, Any]] = {"Normalizer": {"Name": "small", "Source": "images/photographs/"}}
VERSION: Final = "arn:filled:sagemaker:filled:filled:model-package/headrace-dev-bigmart/1"
_VARIABLES: Final[Mapping[str, Any]] = {
    "request": {"Name": "small", "Source": "images/photographs/", "ModelPackageArn": VERSION, "Options": {}},
    "execution": "run-1",
    "destination": "s3://work/sets/small/",
    "config": "run-1",
    "model": "run-1",
    "job_name": "run-1",
    "model_name": "run-1",
    "endpoint_name": "shop",
    "refusals": 0,
    "resume": "",
    "turn": '"1"',
    "turn_failures": 0,
    "turn_polls": 0,
    "turn_redrives": 0,
    "turn_errors": {"Write": "not tried", "Read": "not tried"},
    "owner": {"Execution": EXECUTION, "Since": "2026-01-01T00:00:00Z", "Place": "s3://work/turns/shop"},
    "package": VERSION,
    "parent": "",
    "not_compared": "",
    "serving_metrics": {},
    "hyperparameters": {},
    "metrics": {},
    "fingerprint": "f00d",
    "record": "s3://work/record/",
    "images": "training@sha256:0",
    "model_data": "s3://work/model.tar.gz",
    "lookups": 0,
    "attempts": 0,
    "archive": "0a1b",
    "not_noted": "",
    "is_ours": True,
    "served_home": {},
    "spare_facts": [],
    "altered": "",
    "found_archive": "0a1b",
    "is_noted": True,
    "noted": {"EndpointConfigName": "run-0", "ModelName": "run-0", "ModelPackageArn": VERSION},
    "approval": "Approved",
    "serving_model": "run-0",
    "serving_package": VERSION,
    "serving": "run-1",
    "endpoint": {"Status": "InService", "ConfigName": "run-0", "FailureReason": "", "Pending": "", "IsBaking": False},
    "replaced": "run-0",
    "changed_at": 0,
    "judged": [],
    "golden": {"Wrong": 0, "Reason": ""},
    "tidied": {},
    "scaling": {"Kept": False},
    "serving_type": "ml.c6i.large",
    "stop_polls": 0,
    "stop_lookups": 0,
    "stop_error": "refused",
    "stopped": {"EndpointConfigName": "run-0", "ModelPackageArn": VERSION},
    "file_system": {"Id": "fs-0", "Redrives": 0},
    "file_system_polls": 0,
    "seen": {"Lifecycle": "AVAILABLE", "MountName": "mounted", "Reason": ""},
    "since": "2025-12-31T00:00:00.000Z",
    "until": "2026-01-01T00:00:00.000Z",
    "report": "s3://work/drift/bigmart/run-1/",
    "has_profile": True,
    "has_truth": True,
    "days": ["captured/bigmart/2026/01/01/"],
    "found": {"Verdict": "drifted", "Reason": "", "DriftedColumns": 1, "Columns": ["a"], "Rows": 500, "Index": 0.5},
    "retraining": "",
    "failure": {
        "Error": "EndpointRolledBack",
        "Cause": "it was rolled back",
        "State": "Endpoint In Service",
        "Redrives": 0,
    },
}
# No execution comes to these but by a write that was refused.
_ASSIGNED_BEFORE: Final[Mapping[str, Mapping[str, Any]]] = {
    "See Whose Turn": {"turn_failures": 1},
    "Take Turn Over": {"turn_failures": 1},
}
_NOTED: Final = {"EndpointConfigName": "run-0", "ModelName": "run-0", "ModelPackageArn": VERSION}
# The objects that say whose turn it is and what serves are read by the same operation.
_TURN: Final = {
    "Body": json.dumps({"Execution": EXECUTION, "Since": "2026-01-01T00:00:00Z", **_NOTED}),
    "ETag": '"1"',
}
_VERSION: Final = {
    "ModelPackageArn": VERSION,
    "ModelPackageStatus": "Completed",
    "ModelApprovalStatus": "Approved",
    "CreationTime": "2026-01-01T00:00:00Z",
    "InferenceSpecification": {"Containers": [{"ModelDataUrl": "s3://work/model.tar.gz"}]},
}
# What the operations answer that have succeeded.
RESULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "createProcessingJob": {"ProcessingJobName": "run-1", "ExitMessage": json.dumps(_VARIABLES["found"])},
    "createTrainingJob": {"TrainingJobName": "run-1", "ModelArtifacts": {"S3ModelArtifacts": "s3://work/model.tar.gz"}},
    "createTransformJob": {"TransformJobName": "run-1", "TransformOutput": {"S3OutputPath": "s3://work/out/"}},
    "createModelPackage": {"ModelPackageArn": VERSION},
    "describeModelPackage": _VERSION,
    "listTags": {"Tags": []},
    "describeEndpoint": {"EndpointStatus": "InService", "EndpointConfigName": "run-0"},
    "describeEndpointConfig": {"ProductionVariants": [{"ModelName": "run-0"}]},
    "describeModel": {"PrimaryContainer": {"ModelPackageName": VERSION}},
    "putObject": {"ETag": '"1"'},
    "getObject": _TURN,
    "describeExecution": {"Status": "SUCCEEDED"},
    "describeAlarms": {"MetricAlarms": []},
    "createFileSystem": {"FileSystem": {"FileSystemId": "fs-0"}},
    "describeFileSystems": {
        "FileSystems": [{"Lifecycle": "AVAILABLE", "LustreConfiguration": {"MountName": "mounted"}}]
    },
    "listObjectsV2": {"KeyCount": 1},
    "startExecution": {"ExecutionArn": EXECUTION},
    "invoke": {
        "Payload": {"Fingerprint": "f00d", "Record": "s3://work/record/", "Images": "", "Wrong": 0, "Reason": ""}
    },
}
_LOOKUPS: Final = ("Find Serving Endpoint", "Find Serving Config", "Find Serving Model")
# Tasks that lead back to the one that is tried, and what they answer meanwhile where that is not success.
_ROUNDS: Final[Mapping[str, Mapping[str, Answer]]] = {
    "Create Endpoint": {
        "Look For Endpoint": StateFailedError("SageMaker.SageMakerException", 'Could not find endpoint "arn:…/shop".')
    },
    "Update Endpoint": {"Look For Endpoint": RESULTS["describeEndpoint"]},
    "Take Turn": {"See Whose Turn": StateFailedError("S3.NoSuchKeyException", "The specified key does not exist.")},
    "Take Turn Over": {"See Whose Turn": _TURN},
    "See Whose Turn": {"Take Turn": StateFailedError("S3.S3Exception", "At least one of the pre-conditions …")},
    **{
        state: {"See Whose Endpoint": {"Tags": []}, **{other: {} for other in _LOOKUPS if other != state}}
        for state in (*_LOOKUPS, "Read Serving Version")
    },
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """An error of a task, and what has become of it.

    Args:
        state: The task.
        fault: The kind of error.
        error: The error as Step Functions names it.
        next: Where the task leads when it has succeeded.
        limit: How many seconds a try may take.
        walk: What has become of the error.
    """

    state: str
    fault: Fault
    error: str
    next: str
    limit: int
    walk: Walk


@cache
def read_machines(variant: str) -> Mapping[str, dict[str, Any]]:
    """The definitions as deployed of all state machines of a variant, by `Stack/LogicalId`.

    Those of documents are not among them: test_document_faults.py and test_classifier.py walk through these.
    """
    return {
        name: fill_tokens(parse_definition(machine))
        for name, machine in find_resources(variant, "AWS::StepFunctions::StateMachine").items()
        if not name.startswith("Documents/")
    }


def list_tasks(definition: Mapping[str, Any]) -> dict[str, Any]:
    """Its Task states."""
    return {name: state for name, state in definition["States"].items() if state["Type"] == "Task"}


def list_states() -> Iterator[tuple[str, Mapping[str, Any], Walker]]:
    """Each Task state of the state machines of all variants, with what walks from it; once for all that fail alike."""
    seen: set[str] = set()
    for variant in VARIANTS:
        for machine, definition in read_machines(variant).items():
            for name, state in list_tasks(definition).items():
                if (described := _describe(name, state)) not in seen:
                    seen.add(described)
                    variables = {**_VARIABLES, **_ASSIGNED_BEFORE.get(name, {})}
                    yield name, state, Walker(definition, INPUTS.get(machine.partition("/")[0], {}), variables)


def _describe(name: str, state: Mapping[str, Any]) -> str:
    """How a task fails, apart from where a good end leads."""
    caught = [catcher["ErrorEquals"] for catcher in state.get("Catch", ())]
    return json.dumps([name, state["Resource"], state["Retry"], caught])


@cache
def list_rows() -> tuple[Row, ...]:
    """Every error in every state, as long as it lasts."""
    return tuple(
        Row(
            state=name,
            fault=fault,
            error=str(failure.error),
            next=state["Next"],
            limit=state["TimeoutSeconds"],
            walk=walker.walk(name, [failure], _answer_meanwhile(name)),
        )
        for name, state, walker in list_states()
        for fault, failure in list_errors(state["Resource"])
    )


def recover(name: str, state: Mapping[str, Any], walker: Walker, failure: StateFailedError) -> Walk:
    """An error that comes twice, and then no more."""
    result = RESULTS.get(name_operation(state), {})
    return walker.walk(name, [failure, failure, result], _answer_meanwhile(name))


def name_operation(state: Mapping[str, Any]) -> str:
    """What a task calls."""
    return str(state["Resource"]).rpartition(":")[2].removesuffix(".sync")


def _answer_meanwhile(state: str) -> dict[str, Answer]:
    operations = {"Endpoint": "describeEndpoint", "Config": "describeEndpointConfig", "Model": "describeModel"}
    return {
        other: answer or RESULTS[operations[other.rpartition(" ")[2]]]
        for other, answer in _ROUNDS.get(state, {}).items()
    }
