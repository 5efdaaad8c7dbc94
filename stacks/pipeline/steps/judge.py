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
from stacks.settings.gate import RuleSettings

# What must be assigned before, for pipelines without a gate.
VARIABLES: Final = {"judged": jsonata("[]")}

_JUDGE: Final = "Judge"
_DECIDE: Final = "All Rules Passed"
_REFUSED: Final = "Refused"

# Gives `$rules` back, each with what was found. What a rule names comes from `$find`: a number, or this job's metric.
_APPLY: Final = """
    $find := function($source) { $type($source) = 'string' ? $lookup($metrics, $source) : $source };
    $explain := function($source) { (
        $found := $find($source);
        $type($found) = 'number' ? '' : $exists($found)
            ? $source & ' is not a number: ' & $string($found)
            : 'the training job did not report ' & $source
    ) };
    $compare := function($rule) { (
        $is_most := $rule.Direction = 'at_most';
        $threshold := $find($rule.Threshold);
        $worse := $rule.Margin * $abs($threshold);
        $limit := $is_most ? $threshold + $worse : $threshold - $worse;
        $value := $find($rule.Metric);
        $passes := $is_most ? $value <= $limit : $value >= $limit;
        { 'Value': $value, 'Limit': $limit, 'Verdict': $passes ? 'PASSED' : 'FAILED' }
    ) };
    $judge := function($rule) { (
        $reasons := $filter([$explain($rule.Metric), $explain($rule.Threshold)], function($reason) { $reason != '' });
        $merge([$rule, $exists($reasons)
            ? { 'Verdict': 'NOT_MEASURED', 'Reason': $join($reasons, '; ') }
            : $compare($rule)])
    ) };
    [$map($rules, $judge)]
"""


def judge(rules: Sequence[RuleSettings]) -> Step:
    """Judge `$metrics` by each rule, into `$judged`, and go on only if all of them pass."""

    def states(after: str) -> Mapping[str, State]:
        refused = Rule(condition=f"$count($judged[{JudgedRule.VERDICT} != '{Verdict.PASSED}']) > 0", next=_REFUSED)
        return {
            _JUDGE: Pass(assign={"judged": jsonata(_apply(rules))}, next=_DECIDE),
            _DECIDE: Choice(rules=(refused,), default=after),
            _REFUSED: _refuse(),
        }

    return states


def _apply(rules: Sequence[RuleSettings]) -> str:
    described = json.dumps([_describe(rule) for rule in rules])
    return f"( $rules := {described}; {' '.join(_APPLY.split())} )"


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
