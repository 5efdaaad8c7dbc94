"""Where the input names a version: read it, and refuse one that is not to be served.

It comes before the endpoint's turn is taken, because the version knows which endpoint it is for.
"""

from collections.abc import Mapping
from typing import Final

from headrace import contract
from headrace.contract import VersionFact
from stacks.pipeline.asl import Choice, Rule, State, jsonata
from stacks.pipeline.failure import Reason, fail_for
from stacks.pipeline.registry import ModelRegistry, find_fact, find_metrics, find_places, find_served_home
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.step import Step

# Whether the execution is given a version.
IS_GIVEN: Final = f"$exists($request.{contract.MODEL_PACKAGE_ARN_INPUT})"

_GIVEN: Final = "Version Given"
_READ: Final = "Read Version"
_CHECK: Final = "Version Approved"


def read_version(tasks: SageMakerTasks, registry: ModelRegistry, *, judges: bool) -> Step:
    """Read the version that the input names, if it does: `$package`, and what of it the later steps know otherwise.

    Args:
        tasks: Makes the task.
        registry: Where the version is.
        judges: Whether it may be judged by what serves, for which `$is_trained` and `$served_at` are kept.
    """
    endpoint, job, archive = map(find_fact, (VersionFact.ENDPOINT, VersionFact.JOB, VersionFact.ARCHIVE))
    assign = {
        "package": jsonata("$states.result.ModelPackageArn"),
        "version": {
            "Status": jsonata("$states.result.ModelPackageStatus"),
            "Approval": jsonata("$states.result.ModelApprovalStatus"),
            "HasExpired": jsonata(registry.has_expired()),
        },
        "model_data": jsonata("$states.result.InferenceSpecification.Containers[0].ModelDataUrl"),
        "archive": jsonata(f"$exists({archive}) ? {archive} : ''"),
        "served_home": jsonata(find_served_home()),
        "metrics": jsonata(find_metrics()),
        "job_name": jsonata(f"$exists({job}) ? {job} : ''"),
        "endpoint_name": jsonata(
            f"$exists($request.{contract.ENDPOINT_NAME_INPUT}) ? $endpoint_name "
            f": $exists({endpoint}) ? {endpoint} : $endpoint_name"
        ),
        **({"is_trained": jsonata(f"$exists({job})"), "served_at": jsonata(find_places())} if judges else {}),
    }

    def states(after: str) -> Mapping[str, State]:
        package = jsonata(f"$request.{contract.MODEL_PACKAGE_ARN_INPUT}")
        return {
            _GIVEN: Choice(rules=(Rule(condition=IS_GIVEN, next=_READ),), default=after),
            _READ: tasks.describe_model_package(_READ, package, registry=registry, next_state=_CHECK, assign=assign),
            _CHECK: _check(registry, after),
        }

    return states


def _check(registry: ModelRegistry, after: str) -> Choice:
    """Its status may change while it waits for its turn: SageMaker makes no model of a version that is not approved."""
    incomplete = Reason(
        "$version.Status != 'Completed'", "VersionUnusable", "'version ' & $package & ' is ' & $version.Status"
    )
    unapproved = Reason(
        "$version.Approval != 'Approved'",
        "VersionNotApproved",
        "'version ' & $package & ' is ' & $version.Approval & '; only an approved version is served'",
    )
    expired = Reason(
        "$version.HasExpired",
        "VersionExpired",
        "'version ' & $package & ' has never served and was approved later than approval.expires_days allows: "
        f"{registry.approval.expires_days} days after it was made. Train again, or set another number of days'",
    )
    return Choice(rules=(fail_for(incomplete, unapproved, expired),), default=after)
