"""Find which version the endpoint serves, which the new one is compared with and comes after.

Endpoint, configuration, model, version: each names the next. Where one of them is missing, or the model is not a
version of this registry, there is nothing to compare with, and the reason stays in `$not_compared`. Of an endpoint that
the settings have stopped, the note says which version it served.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from headrace.contract import VersionFact
from stacks.pipeline import as_asked
from stacks.pipeline.asl import ALWAYS, Catch, Choice, Rule, State, Wait, in_milliseconds, jsonata
from stacks.pipeline.endpoint_actions import IS_ACTION
from stacks.pipeline.endpoint_owner import see_whose_endpoint
from stacks.pipeline.failure import CAUSE, FAILED, assign_failure
from stacks.pipeline.jobs import Endpoint
from stacks.pipeline.registry import ModelRegistry, find_fact, find_metrics, find_served_home
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.served import ServedNotes
from stacks.pipeline.step import Step

COUNTERS: Final = {"lookups": 0}
# The status of an endpoint that was not found, or not looked for.
NOT_LOOKED_AT: Final = "not looked at"
# What must be assigned before.
VARIABLES: Final = {
    **COUNTERS,
    "is_ours": True,
    "serving_model": jsonata("''"),
    as_asked.VARIABLE: False,
    "endpoint": {"Status": NOT_LOOKED_AT},
}

ENTRY: Final = "Find Serving Endpoint"
_WHOSE: Final = "See Whose Endpoint"
_CONFIG: Final = "Find Serving Config"
_MODEL: Final = "Find Serving Model"
_IS_SERVERLESS: Final = "Serves Without Machines"
_IS_VERSION: Final = "Serves A Version"
_VERSION: Final = "Read Serving Version"
_NOTHING: Final = "Nothing To Compare With"
_WAIT: Final = "Wait To Look Again"
_IS_STOPPED: Final = "Endpoint May Be Stopped"
_FIND_NOTE: Final = "Find Served Note"
_NOTED: Final = "Served Before"
_READ_NOTE: Final = "Read Served Note"

_MISSING: Final = ("Could not find", "does not exist")
_IS_MISSING: Final = " or ".join(f"$contains($lookup_error, '{message}')" for message in _MISSING)
_IS_DENIED: Final = "$contains($lookup_error, 'not authorized to perform: sagemaker:DescribeEndpoint ')"
_DENIED: Final = (
    "'. The state machine may look only at endpoints of its own environment and workload, as their tags say: "
    "give another EndpointName'"
)
_ATTEMPTS: Final = 4
_HAS_MACHINES: Final = "has_machines"
_TYPE: Final = "$states.result.ProductionVariants[0].InstanceType"
_SERVERLESS: Final = "$states.result.ProductionVariants[0].ServerlessConfig"
_APPROVAL: Final = "$states.result.ModelApprovalStatus"
_ARCHIVE_URI: Final = "$states.result.InferenceSpecification.Containers[0].ModelDataUrl"
_POLL_SECONDS: Final = 5


def find_serving(
    tasks: SageMakerTasks,
    registry: ModelRegistry,
    endpoint: Endpoint,
    *,
    facts: Mapping[str, VersionFact] = MappingProxyType({}),
    notes: ServedNotes | None = None,
    starts: bool = False,
) -> Step:
    """`$parent` is the version that serves at `$endpoint_name`, with its metrics in `$serving_metrics`.

    Whether it serves as the settings of the endpoint ask for is in `$as_asked`, and for tasks that change endpoints in
    `$is_ours` whether they may change it. An endpoint that has machines and is to be serverless is refused before
    anything is trained for it. With scaling, the type of its instances is kept in `$serving_type`; where it can be
    stopped, when its configuration was made in `$config_made_at`.

    With notes, `$is_noted` says of an endpoint that is missing whether it has served; `$noted` is what, and `$parent`
    the version of it.

    Args:
        tasks: Makes the tasks.
        registry: Where the versions are.
        endpoint: What is looked at.
        facts: What else is read of the version, by the variable that it goes into; empty where it is not known.
        notes: Where it is noted what the endpoint of the settings serves, where these have it stopped.
        starts: Whether an execution may start the endpoint with what is noted: `$approval` says whether that is still
            approved, and it is what `$archive` and `$model_data` are about then.
    """
    is_serverless = endpoint.settings.serverless is not None
    catch = Catch(
        errors=("States.ALL",),
        assign={"lookup_error": jsonata(CAUSE), "lookups": jsonata("$lookups + 1")},
        next=_NOTHING,
    )

    missing = Catch(errors=catch.errors, assign=catch.assign, next=_IS_STOPPED) if notes else catch

    see_whose = see_whose_endpoint(tasks, next_state=_CONFIG)
    whose = {_WHOSE: see_whose} if tasks.endpoint else {}

    def states(after: str) -> Mapping[str, State]:
        return {
            ENTRY: tasks.describe_endpoint(
                jsonata("$endpoint_name"),
                next_state=next(iter(whose), _CONFIG),
                catch=(missing,),
                counts_machines=as_asked.counts_machines(endpoint.settings),
                dates=endpoint.settings.is_stoppable,
            ),
            **whose,
            _CONFIG: tasks.describe_endpoint_config(
                jsonata("$endpoint.ConfigName"),
                next_state=_IS_SERVERLESS if is_serverless else _MODEL,
                assign=_read_config(endpoint),
                catch=catch,
            ),
            **({_IS_SERVERLESS: _refuse_machines()} if is_serverless else {}),
            _MODEL: tasks.describe_model(
                jsonata("$serving_model"),
                next_state=_IS_VERSION,
                assign={
                    "serving_package": jsonata(_or_none(_PACKAGE)),
                    as_asked.VARIABLE: as_asked.compare_model(endpoint),
                },
                catch=catch,
            ),
            _IS_VERSION: _choose(registry, after),
            _VERSION: tasks.describe_model_package(
                _VERSION,
                jsonata("$serving_package"),
                registry=registry,
                next_state=after,
                assign=_read_version(facts, starts=starts),
                catch=(catch,),
            ),
            _NOTHING: _choose_for_missing(after),
            _WAIT: Wait(seconds=_POLL_SECONDS, next=ENTRY),
            **(_read_note(notes, registry, after) if notes else {}),
        }

    return states


def _read_config(endpoint: Endpoint) -> dict[str, Any]:
    """What is kept of the configuration of an endpoint; the variants of some name no model."""
    kept = {
        "serving_model": jsonata(_or_none("$states.result.ProductionVariants[0].ModelName")),
        as_asked.VARIABLE: as_asked.compare_config(endpoint),
    }
    if endpoint.settings.serverless is not None:
        kept[_HAS_MACHINES] = jsonata(f"$not($exists({_SERVERLESS}))")
    if endpoint.settings.scaling is not None:
        kept["serving_type"] = jsonata(_or_none(_TYPE))
    if endpoint.settings.is_stoppable:
        kept["config_made_at"] = jsonata(in_milliseconds("$states.result.CreationTime"))
    return kept


def _read_version(facts: Mapping[str, VersionFact], *, starts: bool) -> dict[str, Any]:
    """What is kept of the version that serves, or has served."""
    return {
        "parent": jsonata("$states.result.ModelPackageArn"),
        "serving_metrics": jsonata(find_metrics()),
        **(_read_noted() if starts else {}),
        **{name: jsonata(_or_none(find_fact(fact), "''")) for name, fact in facts.items()},
    }


def _read_noted() -> dict[str, Any]:
    """What is kept of the version that a stopped endpoint is started with; other executions serve another one."""
    kept = {
        "model_data": _or_none(_ARCHIVE_URI, "''"),
        "archive": _or_none(find_fact(VersionFact.ARCHIVE), "''"),
        "served_home": find_served_home(),
    }
    return {
        "approval": jsonata(_or_none(_APPROVAL, "''")),
        **{name: jsonata(f"{IS_ACTION} ? ({found}) : ${name}") for name, found in kept.items()},
    }


_PACKAGE: Final = (
    "($exists($states.result.PrimaryContainer.ModelPackageName) ? $states.result.PrimaryContainer.ModelPackageName "
    ": $states.result.Containers[0].ModelPackageName)"
)


def _refuse_machines() -> Choice:
    """SageMaker does not update them: https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints-update.html."""
    refused = assign_failure(
        "EndpointHasMachines",
        "'endpoint ' & $endpoint_name & ' has machines, and SageMaker does not make it serverless: delete it, or give "
        "another name in endpoint.name or EndpointName'",
    )
    return Choice(rules=(Rule(condition=f"${_HAS_MACHINES}", next=FAILED, assign=refused),), default=_MODEL)


def _or_none(expression: str, otherwise: str = "'none'") -> str:
    return f"$exists({expression}) ? {expression} : {otherwise}"


def _choose(registry: ModelRegistry, after: str) -> Choice:
    other = Rule(
        condition=ALWAYS,
        next=after,
        assign={
            "not_compared": jsonata(
                f"'the model that serves, ' & $serving_model & ', is not a version in {registry.group}'"
            )
        },
    )
    return Choice(rules=(Rule(condition=registry.is_version("$serving_package"), next=_VERSION), other), default=after)


def _read_note(notes: ServedNotes, registry: ModelRegistry, after: str) -> Mapping[str, State]:
    """What served at an endpoint that is missing; other endpoints than that of the settings are not stopped."""
    stopped = Rule(
        condition=f"({_IS_MISSING}) and {notes.is_usual}",
        next=_FIND_NOTE,
        assign={"not_compared": jsonata("$lookup_error")},
    )
    return {
        _IS_STOPPED: Choice(rules=(stopped,), default=_NOTHING),
        _FIND_NOTE: notes.find(_FIND_NOTE, next_state=_NOTED),
        _NOTED: Choice(rules=(Rule(condition="$is_noted", next=_READ_NOTE),), default=after),
        _READ_NOTE: notes.read(_READ_NOTE, registry, next_state=_IS_VERSION),
    }


def _choose_for_missing(after: str) -> Choice:
    """The message decides: how Step Functions spells the error of what is missing is not documented."""
    return Choice(
        rules=(
            Rule(condition=_IS_MISSING, next=after, assign={"not_compared": jsonata("$lookup_error")}),
            Rule(condition=f"$lookups < {_ATTEMPTS}", next=_WAIT),
            Rule(
                condition=ALWAYS,
                next=FAILED,
                assign=assign_failure(
                    "FindServingFailed", f"'{ENTRY}: ' & $lookup_error & ({_IS_DENIED} ? {_DENIED} : '')"
                ),
            ),
        ),
        default=FAILED,
    )
