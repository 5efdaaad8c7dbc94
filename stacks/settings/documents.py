"""The settings of documents that are read: what is looked for in them, and how much an execution may read."""

import re
from collections.abc import Iterator
from typing import Annotated, Final, Self

from pydantic import AfterValidator, Field, model_validator

from headrace.documents.contract import LANGUAGES, SYNTAX_LANGUAGES, Feature, Insight
from stacks.settings.classifier import ClassifierSettings
from stacks.settings.mistakes import refuse_repeated
from stacks.settings.section import IN_PLACE, NEXT_EXECUTION, NOTHING, Allowed, Change, LogDays, Section, Setting

# Textract's rules: https://docs.aws.amazon.com/textract/latest/APIReference/API_Query.html, and thirty questions a page
# in an asynchronous job: https://docs.aws.amazon.com/textract/latest/dg/limits-document.html.
_QUESTION: Final = re.compile(r"""[a-zA-Z0-9\s!"#$%'&()*+,\-./:;=?@\[\\\]^_`{|}~><]{1,200}""")
_MOST_QUESTIONS: Final = 30


def _check_features(names: tuple[str, ...]) -> tuple[str, ...]:
    return _check_known(names, list(Feature))


def _check_insights(names: tuple[str, ...]) -> tuple[str, ...]:
    return _check_known(names, list(Insight))


def _check_known(names: tuple[str, ...], known: list[str]) -> tuple[str, ...]:
    for name in names:
        if name not in known:
            raise ValueError(f"'{name}' is not known; there are {', '.join(known)}")
    refuse_repeated(names)
    return names


def _check_questions(questions: tuple[str, ...]) -> tuple[str, ...]:
    for question in questions:
        if not _QUESTION.fullmatch(question):
            raise ValueError(f"'{question}' must have 1 to 200 characters, of ASCII alone")
        if question.isspace():
            raise ValueError(f"'{question}' is blank; write a question")
        if question.startswith("{%"):
            raise ValueError(f"'{question}' begins as Step Functions' expressions do; leave '{{%' out")
    refuse_repeated(questions)
    return questions


class DocumentsSettings(Section):
    """A state machine that reads documents with Textract, and their text with Comprehend."""

    features: Annotated[
        tuple[str, ...],
        Field(strict=False),
        AfterValidator(_check_features),
        Allowed(f"a list of {', '.join(f'`{each}`' for each in Feature)}"),
        Setting(
            "what Textract looks for besides lines of text",
            cost="0.0015 a page for text alone; 0.015 for tables, 0.05 for forms, 0.015 for queries",
            change=NEXT_EXECUTION,
        ),
    ] = ()
    questions: Annotated[
        tuple[str, ...],
        Field(max_length=_MOST_QUESTIONS, strict=False),
        AfterValidator(_check_questions),
        Allowed(f"up to {_MOST_QUESTIONS} questions in English"),
        Setting(
            "what Textract is asked about every page, with the feature `queries`", cost=NOTHING, change=NEXT_EXECUTION
        ),
    ] = ()
    insights: Annotated[
        tuple[str, ...],
        Field(strict=False),
        AfterValidator(_check_insights),
        Allowed(f"a list of {', '.join(f'`{each}`' for each in Insight)}"),
        Setting(
            "what Comprehend looks for in the text; nothing if the list is empty",
            cost="for each 100 characters 0.0001, and 0.00005 for syntax",
            change=NEXT_EXECUTION,
        ),
    ] = (Insight.ENTITIES, Insight.KEY_PHRASES, Insight.SENTIMENT)
    language: Annotated[
        str | None,
        Allowed(f"one of {', '.join(LANGUAGES)}, or null"),
        Setting(
            "the language of all documents; null if Comprehend finds that of each",
            cost="null 0.0001 for each 100 characters of the first 2,500",
            change=NEXT_EXECUTION,
        ),
    ] = None
    classifier: Annotated[
        ClassifierSettings | None,
        Setting(
            "a classifier that is trained on own texts, and classifies documents; null for none",
            cost="3.00 for each hour of training, 0.50 a month for each classifier, 0.0005 a second for an endpoint",
            change=Change(
                "null removes the state machine that trains; classifiers stay, and cost 0.50 a month each, until "
                "they are deleted with `aws comprehend delete-document-classifier` or by `headrace teardown`",
                loses=(
                    "AWS::Events::Rule",
                    "AWS::Lambda::Function",
                    "AWS::Logs::LogGroup",
                    "AWS::StepFunctions::StateMachine",
                ),
            ),
        ),
    ] = None
    most_documents: Annotated[
        int,
        Field(ge=1, le=5000),
        Setting("how many documents an execution may read; more are refused before it", NOTHING, NEXT_EXECUTION),
    ] = 1000
    most_pages: Annotated[
        int,
        # They are put together by one function within its 15 minutes, one object of S3 after the other.
        Field(ge=1, le=10_000),
        Setting(
            "how many pages the documents of an execution may have together; more are refused before anything is read",
            cost="the bound of what Textract costs",
            change=NEXT_EXECUTION,
        ),
    ] = 2000
    concurrency: Annotated[
        int,
        Field(ge=1, le=100),
        Setting("how many documents are read at a time", cost=NOTHING, change=NEXT_EXECUTION),
    ] = 10
    notice_minutes: Annotated[
        int,
        Field(ge=5, le=1440),
        Setting("how long Textract may take for one document", cost=NOTHING, change=NEXT_EXECUTION),
    ] = 120
    timeout_hours: Annotated[
        int,
        Field(ge=1, le=336),
        Setting("how long an execution may take", cost=NOTHING, change=NEXT_EXECUTION),
    ] = 24
    log_retention_days: Annotated[
        LogDays,
        Setting(
            "how long the logs of the state machine and its functions are kept",
            cost="0.50 per GB written, 0.03 per GB and month kept",
            change=IN_PLACE,
        ),
    ] = 30

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if mistakes := list(self._list_mistakes()):
            raise ValueError("\n".join(mistakes))
        return self

    def _list_mistakes(self) -> Iterator[str]:
        if Feature.QUERIES in self.features and not self.questions:
            yield "questions: features has queries, and nothing is asked; add a question, or leave queries out"
        if self.questions and Feature.QUERIES not in self.features:
            yield "questions: they are asked with the feature queries; add it to features, or leave questions out"
        if self.language and not self.insights:
            yield "language: Comprehend is not asked, as insights is empty; leave language out"
        if self.language and self.language not in LANGUAGES:
            yield f"language: found {self.language!r}, allowed: {', '.join(LANGUAGES)}"
        if self.language in LANGUAGES[len(SYNTAX_LANGUAGES) :] and Insight.SYNTAX in self.insights:
            yield (
                f"insights: Comprehend knows no syntax of {self.language!r}, only of {', '.join(SYNTAX_LANGUAGES)}; "
                "leave syntax out"
            )
        if self.notice_minutes > self.timeout_hours * 60:
            yield f"notice_minutes: found {self.notice_minutes}, longer than an execution of {self.timeout_hours} h"
