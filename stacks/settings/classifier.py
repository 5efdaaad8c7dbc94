"""The settings of the classifier of documents: how it is trained, and what classifies."""

from typing import Annotated, Final

from pydantic import AfterValidator, Field

from headrace.documents.contract import CLASSIFIER_LANGUAGES, Mode
from stacks.settings.section import NEXT_EXECUTION, NOTHING, Allowed, Section, Setting

_MODES: Final = ", ".join(f"`{each}`" for each in Mode)


def _check_mode(name: str) -> str:
    if name not in list(Mode):
        raise ValueError(f"found {name!r}, allowed: {', '.join(Mode)}")
    return name


def _check_language(name: str) -> str:
    if name not in CLASSIFIER_LANGUAGES:
        raise ValueError(f"found {name!r}; Comprehend trains classifiers in {', '.join(CLASSIFIER_LANGUAGES)}")
    return name


class ClassifierSettings(Section):
    """A classifier of Comprehend's that is trained on own texts, and an endpoint for each execution that uses it."""

    mode: Annotated[
        str,
        AfterValidator(_check_mode),
        Allowed(f"one of {_MODES}"),
        Setting("whether a document has one class or several labels", cost=NOTHING, change=NEXT_EXECUTION),
    ] = Mode.MULTI_CLASS
    language: Annotated[
        str,
        AfterValidator(_check_language),
        Allowed(f"one of {', '.join(CLASSIFIER_LANGUAGES)}"),
        Setting("the language of the texts that it is trained on", cost=NOTHING, change=NEXT_EXECUTION),
    ] = "en"
    least_f1: Annotated[
        float,
        Field(ge=0, le=1),
        Setting(
            "the least F1 score with which a classifier is used; one that has less is deleted",
            cost="0.50 a month for each classifier that is kept",
            change=NEXT_EXECUTION,
        ),
    ] = 0.5
    training_hours: Annotated[
        int,
        Field(ge=1, le=48),
        Setting(
            "how long a training may take before it is stopped",
            cost="3.00 for each hour of training",
            change=NEXT_EXECUTION,
        ),
    ] = 12
    keep_versions: Annotated[
        Annotated[int, Field(ge=1, le=50)] | None,
        Allowed("a whole number from 1 to 50, or null"),
        Setting(
            "how many versions of the classifier stay when a new one is used; null for all",
            cost="0.50 a month for each",
            change=NEXT_EXECUTION,
        ),
    ] = None
    inference_units: Annotated[
        int,
        Field(ge=1, le=10),
        Setting(
            "how much the endpoint of an execution classifies at a time: 100 characters a second for each",
            cost="0.0005 a second for each, while an execution classifies",
            change=NEXT_EXECUTION,
        ),
    ] = 1
