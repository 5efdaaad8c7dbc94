"""Make a file system for the training, and delete it after.

What fails or is stopped in between leaves it to the function that ends executions. A redrive makes another one: that of
a failed execution begins with this step, and one that was stopped in it is led back to its beginning.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from stacks.pipeline.asl import ALWAYS, CALL_SECONDS, Catch, Choice, Retry, Rule, State, Task, Wait, jsonata, retry_busy
from stacks.pipeline.failure import FAILED, REDRIVES, assign_failure, keep_failure
from stacks.pipeline.file_system import (
    IS_LOST,
    RunFileSystem,
    allow_creating,
    allow_deleting,
    allow_seeing,
    call,
)
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.step import Step
from stacks.settings.file_systems import LONGEST_MAKING_SECONDS

_POLL_SECONDS: Final = 30
_MOST_POLLS: Final = LONGEST_MAKING_SECONDS // _POLL_SECONDS

_CREATE: Final = "Create File System"
_SEE: Final = "See File System"
_READY: Final = "File System Ready"
_WAIT: Final = "Wait For File System"
_LOST: Final = "File System Lost"
_DELETE: Final = "Delete File System"
_FOUND: Final = "$states.result.FileSystems[0]"
_BROKEN: Final = Retry(errors=("FSx.InternalServerErrorException",), interval_seconds=5, max_attempts=4)
_RETRY: Final = (_BROKEN, retry_busy("FSx"))
# What an expression ends with that finds the file system lost.
_NOT_EVALUATED: Final = "States.QueryEvaluationError"


def with_file_system(tasks: SageMakerTasks, file_system: RunFileSystem, training: Step) -> Step:
    """A training whose job reads from `$file_system`, mounted as `$seen` says, which is there for it alone."""

    def states(after: str) -> Mapping[str, State]:
        trained = training(_DELETE)
        train = next(iter(trained))
        return {
            _CREATE: _create(tasks, file_system),
            _SEE: _see(),
            _READY: _choose(train),
            _WAIT: Wait(seconds=_POLL_SECONDS, next=_SEE),
            **{name: _catch_loss(state) for name, state in trained.items()},
            _LOST: Choice(rules=(Rule(condition=IS_LOST, next=_CREATE, is_return=True),), default=FAILED),
            _DELETE: _delete(tasks, after),
        }

    return states


def _create(tasks: SageMakerTasks, file_system: RunFileSystem) -> Task:
    return Task(
        resource=call("createFileSystem"),
        arguments=tasks.tag(file_system.render()),
        timeout_seconds=CALL_SECONDS,
        assign={
            "file_system": {"Id": jsonata("$states.result.FileSystem.FileSystemId"), "Redrives": jsonata(REDRIVES)},
            "file_system_polls": 0,
        },
        retry=_RETRY,
        catch=(keep_failure(_CREATE),),
        next=_SEE,
        permissions=allow_creating(tasks.scope, tasks.tags, file_system.raw),
    )


def _see() -> Task:
    reason = f"{_FOUND}.FailureDetails.Message"
    mount_name = f"{_FOUND}.LustreConfiguration.MountName"
    return Task(
        resource=call("describeFileSystems"),
        arguments={"FileSystemIds": [jsonata("$file_system.Id")]},
        timeout_seconds=CALL_SECONDS,
        assign={
            "seen": {
                "Lifecycle": jsonata(f"{_FOUND}.Lifecycle"),
                "MountName": jsonata(f"$exists({mount_name}) ? {mount_name} : ''"),
                "Reason": jsonata(f"$exists({reason}) ? {reason} : ''"),
            }
        },
        retry=_RETRY,
        catch=(keep_failure(_SEE, next_state=_LOST),),
        next=_READY,
        permissions=(allow_seeing(),),
    )


def _choose(train: str) -> Choice:
    creating = "$seen.Lifecycle = 'CREATING'"
    minutes = _POLL_SECONDS * _MOST_POLLS // 60
    slow = assign_failure(
        "FileSystemFailed", f"'file system ' & $file_system.Id & ' is not available after {minutes} minutes'"
    )
    broken = assign_failure(
        "FileSystemFailed", "'file system ' & $file_system.Id & ' is ' & $seen.Lifecycle & ': ' & $seen.Reason"
    )
    rules = (
        Rule(condition=IS_LOST, next=_CREATE, is_return=True),
        Rule(condition="$seen.Lifecycle = 'AVAILABLE'", next=train),
        Rule(
            condition=f"{creating} and $file_system_polls < {_MOST_POLLS}",
            next=_WAIT,
            assign={"file_system_polls": jsonata("$file_system_polls + 1")},
        ),
        Rule(condition=creating, next=FAILED, assign=slow),
        Rule(condition=ALWAYS, next=FAILED, assign=broken),
    )
    return Choice(rules=rules, default=FAILED)


def _catch_loss(state: State) -> State:
    if not isinstance(state, Task):
        return state
    return replace(state, catch=(keep_failure(_LOST, (_NOT_EVALUATED,), next_state=_LOST), *state.catch))


def _delete(tasks: SageMakerTasks, after: str) -> Task:
    """Whatever becomes of it: what is there at the end of the execution is deleted then."""
    return Task(
        resource=call("deleteFileSystem"),
        arguments={"FileSystemId": jsonata("$file_system.Id")},
        timeout_seconds=CALL_SECONDS,
        retry=_RETRY,
        catch=(Catch(errors=("States.ALL",), next=after),),
        next=after,
        permissions=(allow_deleting(tasks.scope, tasks.tags),),
    )
