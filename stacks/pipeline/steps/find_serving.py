"""Find which version the endpoint serves, which the new one is compared with and comes after.

Endpoint, configuration, model, version: each names the next. Where one of them is missing, or the model is not a
version of this registry, there is nothing to compare with, and the reason stays in `$not_compared`.
"""

from collections.abc import Mapping
from typing import Final

from stacks.pipeline.asl import ALWAYS, Catch, Choice, Rule, State, Wait, jsonata
from stacks.pipeline.failure import CAUSE, FAILED, assign_failure
from stacks.pipeline.registry import ModelRegistry, find_metrics
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.step import Step

# What must be assigned before.
VARIABLES: Final = {
    "lookups": 0,
    "serving_model": jsonata("''"),
    "endpoint": {"Status": "not looked at"},
}

_ENDPOINT: Final = "Find Serving Endpoint"
_CONFIG: Final = "Find Serving Config"
_MODEL: Final = "Find Serving Model"
_IS_SERVERLESS: Final = "Serves Without Machines"
_IS_VERSION: Final = "Serves A Version"
_VERSION: Final = "Read Serving Version"
_NOTHING: Final = "Nothing To Compare With"
_WAIT: Final = "Wait To Look Again"

_MISSING: Final = ("Could not find", "does not exist")
_ATTEMPTS: Final = 4
_HAS_MACHINES: Final = "has_machines"
_TYPE: Final = "$states.result.ProductionVariants[0].InstanceType"
_SERVERLESS: Final = "$states.result.ProductionVariants[0].ServerlessConfig"
_POLL_SECONDS: Final = 5


def find_serving(
    tasks: SageMakerTasks, registry: ModelRegistry, *, is_serverless: bool = False, keeps_type: bool = False
) -> Step:
    """`$parent` is the version that serves at `$endpoint_name`, with its metrics in `$serving_metrics`.

    An endpoint that has machines and is to be serverless is refused before anything is trained for it. On demand, the
    type of its instances is kept in `$serving_type`.
    """
    catch = Catch(
        errors=("States.ALL",),
        assign={"lookup_error": jsonata(CAUSE), "lookups": jsonata("$lookups + 1")},
        next=_NOTHING,
    )

    def states(after: str) -> Mapping[str, State]:
        return {
            _ENDPOINT: tasks.describe_endpoint(jsonata("$endpoint_name"), next_state=_CONFIG, catch=(catch,)),
            _CONFIG: tasks.describe_endpoint_config(
                jsonata("$endpoint.ConfigName"),
                next_state=_IS_SERVERLESS if is_serverless else _MODEL,
                # The variants of some endpoints name no model.
                assign={
                    "serving_model": jsonata(_or_none("$states.result.ProductionVariants[0].ModelName")),
                    **({_HAS_MACHINES: jsonata(f"$not($exists({_SERVERLESS}))")} if is_serverless else {}),
                    **({"serving_type": jsonata(_or_none(_TYPE))} if keeps_type else {}),
                },
                catch=catch,
            ),
            **({_IS_SERVERLESS: _refuse_machines()} if is_serverless else {}),
            _MODEL: tasks.describe_model(
                jsonata("$serving_model"),
                next_state=_IS_VERSION,
                assign={"serving_package": jsonata(_or_none(_PACKAGE))},
                catch=catch,
            ),
            _IS_VERSION: _choose(registry, after),
            _VERSION: tasks.describe_model_package(
                _VERSION,
                jsonata("$serving_package"),
                registry=registry,
                next_state=after,
                assign={
                    "parent": jsonata("$states.result.ModelPackageArn"),
                    "serving_metrics": jsonata(find_metrics()),
                },
                catch=(catch,),
            ),
            _NOTHING: _choose_for_missing(after),
            _WAIT: Wait(seconds=_POLL_SECONDS, next=_ENDPOINT),
        }

    return states


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


def _or_none(expression: str) -> str:
    return f"$exists({expression}) ? {expression} : 'none'"


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


def _choose_for_missing(after: str) -> Choice:
    """The message decides: how Step Functions spells the error of what is missing is not documented."""
    is_missing = " or ".join(f"$contains($lookup_error, '{message}')" for message in _MISSING)
    return Choice(
        rules=(
            Rule(condition=is_missing, next=after, assign={"not_compared": jsonata("$lookup_error")}),
            Rule(condition=f"$lookups < {_ATTEMPTS}", next=_WAIT),
            Rule(
                condition=ALWAYS,
                next=FAILED,
                assign=assign_failure("FindServingFailed", f"'{_ENDPOINT}: ' & $lookup_error"),
            ),
        ),
        default=FAILED,
    )
