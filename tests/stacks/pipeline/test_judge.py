"""The gate's rules, evaluated as Step Functions does."""

from typing import Any

import pytest

from headrace.contract import SERVING_THRESHOLD, JudgedRule, Verdict
from stacks.pipeline.steps.judge import judge
from stacks.settings.gate import RuleSettings
from tests.stacks.jsonata_fields import choose, evaluate

ERROR, SCORE = "validation:rmse", "validation:r2"
BASELINE = "baseline:rmse"


NOT_SERVING = {"parent": "", "serving_metrics": {}, "not_compared": "Could not find endpoint shop"}


def apply(metrics: dict[str, Any], *rules: RuleSettings, **serving: Any) -> list[dict[str, Any]]:
    """What the step finds."""
    states = judge(rules)("After")
    variables = {**NOT_SERVING, **serving, "metrics": metrics}
    judged: list[dict[str, Any]] = evaluate(states["Judge"].render()["Assign"]["judged"], **variables)
    return judged


def at_most(threshold: float | str, margin: float = 0.0) -> RuleSettings:
    return RuleSettings(metric=ERROR, direction="at_most", threshold=threshold, margin=margin)


def at_least(threshold: float | str, margin: float = 0.0) -> RuleSettings:
    return RuleSettings(metric=SCORE, direction="at_least", threshold=threshold, margin=margin)


@pytest.mark.parametrize(
    ("rule", "metrics", "limit", "verdict"),
    [
        (at_most(100), {ERROR: 99.5}, 100, "PASSED"),
        (at_most(100), {ERROR: 100}, 100, "PASSED"),
        (at_most(100), {ERROR: 100.5}, 100, "FAILED"),
        (at_least(0), {SCORE: -0.25}, 0, "FAILED"),
        (at_least(0.5), {SCORE: 0.5}, 0.5, "PASSED"),
        (at_most(BASELINE), {ERROR: 8, BASELINE: 8}, 8, "PASSED"),
        (at_most(BASELINE), {ERROR: 8.5, BASELINE: 8}, 8, "FAILED"),
        (at_most(BASELINE, 0.25), {ERROR: 10, BASELINE: 8}, 10, "PASSED"),
        (at_most(BASELINE, -0.25), {ERROR: 7, BASELINE: 8}, 6, "FAILED"),
        (at_least(0.5, 0.5), {SCORE: 0.25}, 0.25, "PASSED"),
        (at_least(0.5, -0.5), {SCORE: 0.5}, 0.75, "FAILED"),
        (at_least(-0.5, 0.5), {SCORE: -0.75}, -0.75, "PASSED"),
        (at_most(-8, 0.25), {ERROR: -6}, -6, "PASSED"),
        (at_most(0), {ERROR: 0}, 0, "PASSED"),
    ],
)
def test_compares_a_metric_with_its_threshold(
    rule: RuleSettings, metrics: dict[str, Any], limit: float, verdict: str
) -> None:
    (judged,) = apply(metrics, rule)

    assert (judged["Value"], judged["Limit"], judged["Verdict"]) == (metrics[rule.metric], limit, verdict)


def test_says_of_each_rule_what_it_asks_for_and_what_was_found() -> None:
    judged = apply({ERROR: 7.5, BASELINE: 8, SCORE: 0.25}, at_most(BASELINE, 0.25), at_least(0.5))

    assert judged == [
        {
            "Metric": ERROR,
            "Direction": "at_most",
            "Threshold": BASELINE,
            "Margin": 0.25,
            "Value": 7.5,
            "Limit": 10,
            "Verdict": "PASSED",
        },
        {
            "Metric": SCORE,
            "Direction": "at_least",
            "Threshold": 0.5,
            "Margin": 0,
            "Value": 0.25,
            "Limit": 0.5,
            "Verdict": "FAILED",
        },
    ]


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        ({BASELINE: 8}, f"the training job did not report {ERROR}"),
        ({ERROR: 8}, f"the training job did not report {BASELINE}"),
        ({}, f"the training job did not report {ERROR}; the training job did not report {BASELINE}"),
        ({ERROR: "NaN", BASELINE: 8}, f"{ERROR} is not a number: NaN"),
        ({ERROR: 7, BASELINE: "Infinity"}, f"{BASELINE} is not a number: Infinity"),
        ({ERROR: [7, 8], BASELINE: 8}, f"{ERROR} is not a number: [7,8]"),
    ],
)
def test_refuses_what_was_not_measured_and_says_so(metrics: dict[str, Any], reason: str) -> None:
    (judged,) = apply(metrics, at_most(BASELINE))

    assert (judged["Verdict"], judged["Reason"]) == ("NOT_MEASURED", reason)
    assert not judged.keys() & {"Value", "Limit"}


def test_never_passes_what_is_not_a_number() -> None:
    (most,) = apply({ERROR: float("nan")}, at_most(8))
    (least,) = apply({SCORE: float("nan")}, at_least(0.5))

    assert "PASSED" not in (most["Verdict"], least["Verdict"])


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (["PASSED"], "After"),
        (["PASSED", "PASSED"], "After"),
        (["PASSED", "FAILED"], "Refused"),
        (["NOT_MEASURED", "PASSED"], "Refused"),
        (["FAILED"], "Refused"),
    ],
)
def test_goes_on_only_when_every_rule_passes(verdicts: list[str], expected: str) -> None:
    states = judge([at_most(100)])("After")

    judged = [{"Verdict": verdict} for verdict in verdicts]
    assert choose(states["All Rules Passed"].render(), judged=judged) == expected


def test_uses_the_words_of_the_contract() -> None:
    judged = [*apply({ERROR: 9}, at_most(8)), *apply({ERROR: 7}, at_most(8)), *apply({}, at_most(8))]
    judged += apply({ERROR: 9}, at_most(SERVING_THRESHOLD))

    assert {key for rule in judged for key in rule} == set(JudgedRule)
    assert {rule["Verdict"] for rule in judged} == set(Verdict)


@pytest.mark.parametrize(
    ("rule", "value", "verdict", "limit"),
    [
        (at_most(SERVING_THRESHOLD), 8, "PASSED", 8),
        (at_most(SERVING_THRESHOLD), 8.5, "FAILED", 8),
        (at_most(SERVING_THRESHOLD, 0.25), 10, "PASSED", 10),
        (at_most(SERVING_THRESHOLD, 0.25), 10.5, "FAILED", 10),
        (at_most(SERVING_THRESHOLD, -0.25), 7, "FAILED", 6),
    ],
)
def test_compares_a_metric_with_that_of_the_version_that_serves(
    rule: RuleSettings, value: float, verdict: str, limit: float
) -> None:
    (judged,) = apply({ERROR: value}, rule, parent="version-1", serving_metrics={ERROR: 8})

    assert (judged["Verdict"], judged["Value"], judged["Limit"]) == (verdict, value, limit)


@pytest.mark.parametrize(
    ("serving", "reason"),
    [
        (NOT_SERVING, "Could not find endpoint shop"),
        ({"parent": "version-1", "serving_metrics": {SCORE: 0.5}}, f"version version-1 has no metric {ERROR}"),
    ],
)
def test_says_aloud_that_there_is_nothing_to_compare_with_and_lets_it_pass(
    serving: dict[str, Any], reason: str
) -> None:
    rules = [at_most(SERVING_THRESHOLD)]
    (judged,) = apply({ERROR: 9}, *rules, **serving)

    assert (judged["Verdict"], judged["Reason"], judged["Value"]) == ("NOT_COMPARED", reason, 9)
    assert "Limit" not in judged
    decision = judge(rules)("After")["All Rules Passed"].render()
    assert choose(decision, judged=[judged]) == "After"


def test_refuses_what_was_not_measured_though_nothing_serves() -> None:
    (judged,) = apply({}, at_most(SERVING_THRESHOLD))

    assert (judged["Verdict"], judged["Reason"]) == ("NOT_MEASURED", f"the training job did not report {ERROR}")
