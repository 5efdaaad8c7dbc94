"""Pages of documents cost what an estimate of the same pages says."""

from collections.abc import Mapping
from typing import Any

import pytest

from headrace.cost.lines import Line, total
from headrace.cost.machines import read_definition
from headrace.cost.scenarios import SCENARIOS
from headrace.cost.usage import estimate_usage
from headrace.documents import prices
from headrace.documents.contract import Feature
from headrace.inventory import Item, Maker, usual_prices
from tests.stacks.pipeline.test_documents import EVERYTHING, TEXT_ALONE, read_machine

PAGES = 1_000


def make_item(settings: Mapping[str, Any], called: str = "StateMachine") -> Item:
    definition = read_machine(settings, called)
    properties = {"Definition": definition}
    kind = "AWS::StepFunctions::StateMachine"
    return Item(kind=kind, name="m", maker=Maker.TEMPLATE, stack="headrace-dev-documents", properties=properties)


def list_lines(settings: Mapping[str, Any], pages: float = PAGES) -> tuple[Line, ...]:
    scenario = SCENARIOS["low"].change({"document_pages": pages})
    return estimate_usage([make_item(settings)], scenario, usual_prices()).month


CLASSIFYING: Mapping[str, Any] = {"insights": [], "classifier": {"inference_units": 2}}


@pytest.mark.parametrize("settings", [EVERYTHING, TEXT_ALONE, {"insights": ["syntax"], "language": "en"}, CLASSIFYING])
def test_costs_what_the_estimate_of_the_same_pages_says(settings: Mapping[str, Any]) -> None:
    features, insights = settings.get("features", []), settings["insights"]
    finds_language = bool(insights) and "language" not in settings
    classifies = "classifier" in settings
    page = prices.estimate_page(features, insights, finds_language=finds_language, classifies=classifies)

    assert total(list_lines(settings)) == pytest.approx(PAGES * page)


def test_has_a_line_for_each_thing_that_is_asked() -> None:
    assert [(line.section, line.what) for line in list_lines(TEXT_ALONE)] == [
        ("documents", "pages read for text"),
        ("documents", "states of documents"),
    ]
    assert total(list_lines(EVERYTHING, pages=0)) == 0


def test_prices_the_training_of_a_classifier_and_the_endpoint_of_an_execution() -> None:
    scenario = SCENARIOS["low"].change({"training_minutes": 90})
    items = [make_item(CLASSIFYING), make_item(CLASSIFYING, "ClassifierStateMachine")]

    lines = {line.what: line.usd for line in estimate_usage(items, scenario, usual_prices()).executions}

    assert lines["training of a classifier"] == pytest.approx(4.5)
    assert lines["endpoint of a classifier, besides classifying"] == pytest.approx(prices.estimate_endpoint(2))


def test_no_other_state_machine_reads_pages() -> None:
    task = {"Resource": "arn:aws:states:::aws-sdk:s3:getObject", "Arguments": {}}
    kind = "AWS::StepFunctions::StateMachine"
    properties = {"Definition": {"States": {"Read": task}}}

    assert read_definition(Item(kind=kind, name="m", maker=Maker.TEMPLATE, properties=properties)).asked == ()


def test_takes_the_prices_of_estimates() -> None:
    listed = usual_prices()

    assert listed.each("textract-text-page") == prices.TEXT_PAGE
    assert {each: listed.each(f"textract-{each}-page") for each in Feature} == prices.FEATURE_PAGE
    assert listed.each("comprehend-unit") == prices.UNIT
    assert listed.each("comprehend-syntax-unit") == prices.SYNTAX_UNIT
    assert listed.each("transition") == prices.TRANSITION
    assert listed.each("comprehend-endpoint-second") == prices.ENDPOINT_SECOND
    assert listed.each("comprehend-training-hour") == prices.TRAINING_HOUR
    assert listed.each("comprehend-classifier-month") == prices.CLASSIFIER_MONTH
