"""Judge the model by the metrics of its training job, and end before anything is made of one that is refused.

A refusal is an end like any other, not an error: nothing has broken, and the endpoint serves what it served before.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from headrace import contract
from headrace.contract import JudgedRule, Outcome, Verdict
from stacks.pipeline.asl import Choice, Finish, Pass, Rule, State, jsonata
from stacks.pipeline.step import Step
from stacks.pipeline.steps import save_model
from stacks.pipeline.steps.read_version import IS_GIVEN
from stacks.settings.gate import RuleSettings

# What must be assigned before, for pipelines without a gate.
VARIABLES: Final = {"judged": jsonata("[]")}

ENTRY: Final = "Judge"
_DECIDE: Final = "All Rules Passed"
REFUSED: Final = "Refused"

_PASSING: Final = (Verdict.PASSED, Verdict.NOT_COMPARED)

# Gives `$rules` back, each with what was found. What a rule names comes from `$find`: a number, this job's metric, or
# that of the version that serves. A rule about what serves has nothing to say where that has no such metric.
_APPLY: Final = """
    $is_serving := function($rule) { $rule.Threshold = 'serving' };
    $find := function($source) { $type($source) = 'string' ? $lookup($metrics, $source) : $source };
    $find_threshold := function($rule) {
        $is_serving($rule) ? $lookup($serving_metrics, $rule.Metric) : $find($rule.Threshold)
    };
    $explain := function($source) { (
        $found := $find($source);
        $type($found) = 'number' ? '' : $exists($found)
            ? $source & ' is not a number: ' & $string($found)
            : 'the training job did not report ' & $source
    ) };
    $compare := function($rule) { (
        $is_most := $rule.Direction = 'at_most';
        $threshold := $find_threshold($rule);
        $worse := $rule.Margin * $abs($threshold);
        $limit := $is_most ? $threshold + $worse : $threshold - $worse;
        $value := $find($rule.Metric);
        $passes := $is_most ? $value <= $limit : $value >= $limit;
        { 'Value': $value, 'Limit': $limit, 'Verdict': $passes ? 'PASSED' : 'FAILED' }
    ) };
    $judge := function($rule) { (
        $named := $is_serving($rule) ? [$rule.Metric] : [$rule.Metric, $rule.Threshold];
        $reasons := $filter($map($named, $explain), function($reason) { $reason != '' });
        $merge([$rule, $exists($reasons)
            ? { 'Verdict': 'NOT_MEASURED', 'Reason': $join($reasons, '; ') }
            : $exists($find_threshold($rule)) ? $compare($rule)
            : { 'Verdict': 'NOT_COMPARED', 'Value': $find($rule.Metric), 'Reason': $parent = '' ? $not_compared
                : 'version ' & $parent & ' has no metric ' & $rule.Metric }])
    ) };
    [$map($rules, $judge)]
"""


def compares(rules: Sequence[RuleSettings]) -> bool:
    """Whether any of the rules is about what serves."""
    return any(rule.threshold == contract.SERVING_THRESHOLD for rule in rules)


def judge(rules: Sequence[RuleSettings], *, deploys: bool = False) -> Step:
    """Judge `$metrics` by each rule, into `$judged`, and go on only if all of them pass.

    Args:
        rules: The rules.
        deploys: Whether a version that the input names comes here, too: it is judged by the rules about what serves,
            as it has passed the others when it was made, and then has a model made of it.
    """

    def states(after: str) -> Mapping[str, State]:
        passing = ", ".join(f"'{verdict}'" for verdict in _PASSING)
        failed = f"$judged[$not({JudgedRule.VERDICT} in [{passing}])]"
        refused = Rule(condition=f"$count({failed}) > 0", next=REFUSED)
        passed = [Rule(condition=IS_GIVEN, next=save_model.ENTRY)] if deploys else []
        return {
            ENTRY: Pass(assign={"judged": jsonata(_apply(_render(rules, deploys=deploys)))}, next=_DECIDE),
            _DECIDE: Choice(rules=(refused, *passed), default=after),
            REFUSED: _refuse(),
        }

    return states


def _render(rules: Sequence[RuleSettings], *, deploys: bool) -> str:
    """The rules that apply, in JSONata."""
    every = json.dumps([_describe(rule) for rule in rules])
    if not deploys:
        return every
    return f"{every}[$not({IS_GIVEN}) or {JudgedRule.THRESHOLD} = '{contract.SERVING_THRESHOLD}']"


def _apply(rules: str) -> str:
    return f"( $rules := {rules}; {' '.join(_APPLY.split())} )"


def _describe(rule: RuleSettings) -> dict[str, Any]:
    return {
        JudgedRule.METRIC: rule.metric,
        JudgedRule.DIRECTION: rule.direction,
        JudgedRule.THRESHOLD: rule.threshold,
        JudgedRule.MARGIN: rule.margin,
    }


def _refuse() -> Finish:
    return Finish(
        output={
            contract.OUTCOME_OUTPUT: Outcome.REFUSED,
            contract.JOB_NAME_INPUT: jsonata("$job_name"),
            contract.ENDPOINT_NAME_INPUT: jsonata("$endpoint_name"),
            "ModelDataUrl": jsonata("$model_data"),
            "Metrics": jsonata("$metrics"),
            contract.RULES_OUTPUT: jsonata("$judged"),
        }
    )
