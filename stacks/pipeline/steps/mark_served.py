"""Write on the version that it has served, and where, or transformed a batch: approving it again is never too late."""

from collections.abc import Mapping
from typing import Final

from headrace.contract import HYPERPARAMETER_FACT, MOST_FACTS, SERVED_AT_FACT, VersionFact
from stacks.pipeline.asl import Catch, State, jsonata
from stacks.pipeline.failure import CAUSE
from stacks.pipeline.registry import ModelRegistry
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.step import Step

ENTRY: Final = "Mark Served"
_AT: Final = f"'{SERVED_AT_FACT}' & $lowercase($endpoint_name)"
# One more than is coming, for `$served_home`.
_FIND_SPARE: Final = f"""(
    $facts := $states.result.CustomerMetadataProperties;
    $names := [$keys($facts)];
    $coming := [COMING];
    $begins := function($name, $start) {{ $substring($name, 0, $length($start)) = $start }};
    $at := [$names[$begins($, '{SERVED_AT_FACT}') and $not($ in $coming)]];
    $oldest := $sort($at, function($one, $other) {{ $lookup($facts, $one) > $lookup($facts, $other) }});
    $spare := $append($oldest, $names[$begins($, '{HYPERPARAMETER_FACT}')]);
    $excess := $count($names) + $count($coming[$not($ in $names)]) + 1 - {MOST_FACTS};
    [$filter($spare, function($name, $index) {{ $index < $excess }})]
)"""
_NOW: Final = "$states.context.State.EnteredTime"


def mark_served(tasks: SageMakerTasks, registry: ModelRegistry, *, is_batch: bool) -> Step:
    """Write the time on `$package`; the endpoint serves, or the batch is transformed, whatever becomes of that.

    With the first endpoint that is noted, `$served_home` is, too, and `$spare_facts` are removed. Why nothing was
    written is in `$not_noted`.
    """
    served, at = f"'{VersionFact.SERVED}': {_NOW}", f"{_AT}: {_NOW}"
    transformed = f"{{ '{VersionFact.TRANSFORMED}': {_NOW} }}"
    facts = jsonata(transformed if is_batch else f"$merge([$served_home, {{ {served}, {at} }}])")

    def states(after: str) -> Mapping[str, State]:
        catch = Catch(errors=("States.ALL",), assign={"not_noted": jsonata(CAUSE)}, next=after)
        return {
            ENTRY: tasks.update_facts(
                jsonata("$package"),
                facts,
                without=jsonata("$spare_facts"),
                registry=registry,
                next_state=after,
                catch=catch,
            )
        }

    return states


def find_spare_facts(*, is_batch: bool) -> str:
    """Which facts the version in a task's result can spare, if it is to note more than SageMaker lets it have.

    They are where it has served, the longest ago first, and then hyperparameters.
    """
    coming = f"'{VersionFact.TRANSFORMED}'" if is_batch else f"'{VersionFact.SERVED}', {_AT}"
    return " ".join(_FIND_SPARE.replace("COMING", coming).split())
