"""Hyperparameters of built-in algorithms, as their published tables have them; standard library only.

A table is an object of JSON; these are its forms:

    "max_depth": {"type": "integer", "min": 0, "default": 6}
    "subsample": {"type": "number", "above": 0, "max": 1, "default": 1}
    "booster": {"type": "choice", "choices": ["gbtree", "gblinear", "dart"], "default": "gbtree"}
    "eval_metric": {"type": "choices", "choices": ["mae", "rmse"]}
    "num_round": {"type": "integer", "min": 1, "required": true}
    "num_class": {"type": "integer", "min": 2, "required_when": {"objective": ["multi:softmax"]}}
    "silent": {"type": "gone", "instead": "verbosity"}
    "word_ngrams": {"type": "integer", "min": 1, "only_when": {"mode": ["supervised"]}, "default": 2}
    "use_bias": {"type": "boolean", "default": "true"}
    "rnn_num_hidden": {"type": "integer", "min": 1, "multiple": 2, "default": 1024}
    "wd": {"type": "number", "min": 0, "words": ["auto"], "default": "auto"}
    "loss": {"type": "choice", "choices": ["logistic", "huber_loss"],
             "choices_when": {"predictor_type": {"regressor": ["huber_loss"]}}}
"""

import difflib
import math
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Value = str | int | float
# Of which programs of ours hold a score each, for many rows at once.
MOST_CLASSES: Final = 10_000

_STEPS: Final = re.compile(r"\s*[0-9]{1,6}\s*(,\s*[0-9]{1,6}\s*)*")


@dataclass(frozen=True, kw_only=True)
class Hyperparameter:
    """One hyperparameter: what it may be, and what it is unless it is given.

    Args:
        kind: `integer`, `number`, `boolean`, `text`, `choice`, `choices` (some, separated by commas), or `gone`.
        least: The lowest value.
        most: The highest value.
        above: What it must be higher than.
        below: What it must be lower than.
        multiple: What it must be a multiple of.
        choices: What it may be.
        words: What else it may be, such as `auto`.
        choices_when: Which of the choices there are with some values of other hyperparameters.
        default: What it is unless it is given; None where that depends on others.
        required: Whether it must be given.
        required_when: The values of other hyperparameters with which it must be given, and without which it must not.
        only_when: The values of other hyperparameters without which it must not be given.
        instead: What has taken its place.
    """

    kind: str
    least: float | None = None
    most: float | None = None
    above: float | None = None
    below: float | None = None
    multiple: int | None = None
    choices: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    choices_when: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    default: Value | None = None
    required: bool = False
    required_when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    only_when: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    instead: str = ""

    def describe(self) -> str:
        """What it may be, in words."""
        return " or ".join([self._describe_kind(), *self.words])

    def _describe_kind(self) -> str:
        match self.kind:
            case "choice":
                return f"one of {', '.join(self.choices)}"
            case "choices":
                return f"some of {', '.join(self.choices)}, separated by commas"
            case "text":
                return "text"
            case "boolean":
                return "true or false"
        bounds = {"from": self.least, "above": self.above, "up to": self.most, "below": self.below}
        kind = "a whole number" if self.kind == "integer" else "a number"
        said = " ".join(f"{word} {bound:g}" for word, bound in bounds.items() if bound is not None)
        multiple = f", a multiple of {self.multiple}" if self.multiple else ""
        return f"{kind} {said}".strip() + multiple

    def parse(self, given: Value) -> Value:
        """The value of what was given, which a job has as text.

        Raises:
            ValueError: If it cannot be that.
        """
        text = str(given)
        if text in self.words:
            return text
        if self.kind == "boolean":
            return _parse_boolean(text)
        if self.kind in ("integer", "number"):
            number = _parse_number(text, whole=self.kind == "integer")
            if not self._is_within(number):
                raise ValueError(text)
            return number
        wanted = [part.strip() for part in text.split(",")] if self.kind == "choices" else [text]
        # A threshold stands behind some metrics, as in error@0.7.
        if self.choices and not all(part.partition("@")[0] in self.choices for part in wanted):
            raise ValueError(text)
        return text

    def _is_within(self, number: float) -> bool:
        return (
            math.isfinite(number)
            and (self.least is None or number >= self.least)
            and (self.most is None or number <= self.most)
            and (self.above is None or number > self.above)
            and (self.below is None or number < self.below)
            and (self.multiple is None or number % self.multiple == 0)
        )


def read_hyperparameters(table: Mapping[str, Mapping[str, Any]]) -> dict[str, Hyperparameter]:
    """The hyperparameters of a table."""
    return {
        name: Hyperparameter(
            kind=facts["type"],
            least=facts.get("min"),
            most=facts.get("max"),
            above=facts.get("above"),
            below=facts.get("below"),
            multiple=facts.get("multiple"),
            choices=tuple(facts.get("choices", ())),
            words=tuple(facts.get("words", ())),
            choices_when={
                other: {value: tuple(choices) for value, choices in by_value.items()}
                for other, by_value in facts.get("choices_when", {}).items()
            },
            default=facts.get("default"),
            required=facts.get("required", False),
            required_when={other: tuple(values) for other, values in facts.get("required_when", {}).items()},
            only_when={other: tuple(values) for other, values in facts.get("only_when", {}).items()},
            instead=facts.get("instead", ""),
        )
        for name, facts in table.items()
    }


def list_mistakes(title: str, table: Mapping[str, Hyperparameter], given: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the hyperparameters of a job, each beginning with the name of one.

    Args:
        title: What the algorithm is called.
        table: Those that there are.
        given: The values that are given, by name.
    """
    for name, value in given.items():
        if name not in table:
            yield f"{name}: {title} has no such hyperparameter{_suggest(name, table)}"
        elif table[name].kind == "gone":
            yield f"{name}: {title} does not have it any more; use {table[name].instead}"
        elif not _is_valid(table[name], value):
            yield f"{name}: found {value!r}, allowed: {table[name].describe()}"
    values = {name: str(given.get(name, hyperparameter.default)) for name, hyperparameter in table.items()}
    for name, hyperparameter in table.items():
        yield from _list_missing(name, hyperparameter, given, values)
        yield from _list_contradicting(name, hyperparameter, values)


def list_untaken(given: Mapping[str, Any], taken: Mapping[str, Collection[str]]) -> Iterator[str]:
    """What a program of ours does not have of an algorithm's values, each beginning with the name of a hyperparameter.

    Args:
        given: Hyperparameters that the algorithm takes.
        taken: The values that our program takes, by the names of those of which it does not take all; none for one that
            it does not have at all.
    """
    for name, values in taken.items():
        if name in given and str(given[name]).lower() not in values:
            only = f"and our own program has only {', '.join(values)}" if values else "which our own program lacks"
            yield f"{name}: found '{given[name]}', {only}; leave it out"


def list_class_mistakes(given: Mapping[str, Any], *, name: str) -> Iterator[str]:
    """What is wrong with a number of classes that published tables leave open, or nearly so.

    Args:
        given: Hyperparameters that the algorithm takes.
        name: What it calls the number.
    """
    if name in given and int(given[name]) > MOST_CLASSES:
        yield f"{name}: found {given[name]}, and our own program takes up to {MOST_CLASSES}"


def list_step_mistakes(given: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with the epochs at which a learning rate falls, which published tables call a text."""
    steps = str(given.get("lr_scheduler_step", ""))
    if steps and not _STEPS.fullmatch(steps):
        yield f"lr_scheduler_step: found '{steps}', allowed: epochs, separated by commas, such as 10,20"


def _list_missing(
    name: str, hyperparameter: Hyperparameter, given: Mapping[str, Any], values: Mapping[str, str]
) -> Iterator[str]:
    if hyperparameter.required and name not in given:
        yield f"{name}: missing; {hyperparameter.describe()}"
    for other, wanted in hyperparameter.required_when.items():
        if values[other] in wanted and name not in given:
            yield f"{name}: missing, and {other} {values[other]} needs it; {hyperparameter.describe()}"
    for other, wanted in {**hyperparameter.required_when, **hyperparameter.only_when}.items():
        if values[other] not in wanted and name in given:
            yield f"{name}: only for {other} {' or '.join(wanted)}, but it is {values[other]}; leave it out"


def _list_contradicting(name: str, hyperparameter: Hyperparameter, values: Mapping[str, str]) -> Iterator[str]:
    for other, by_value in hyperparameter.choices_when.items():
        fitting = by_value.get(values[other], hyperparameter.choices)
        if values[name] in hyperparameter.choices and values[name] not in fitting:
            yield f"{name}: {values[name]} is not for {other} {values[other]}; use {' or '.join(fitting)}"


def _is_valid(hyperparameter: Hyperparameter, value: Value) -> bool:
    try:
        hyperparameter.parse(value)
    except ValueError:
        return False
    return True


def _parse_boolean(text: str) -> bool:
    # SDKs write the booleans of Python.
    if text.lower() not in ("true", "false"):
        raise ValueError(text)
    return text.lower() == "true"


def _parse_number(text: str, *, whole: bool) -> float | int:
    # Python also reads underscores between digits, and digits of other scripts.
    if "_" in text or not text.isascii():
        raise ValueError(text)
    return int(text) if whole else float(text)


def _suggest(name: str, table: Mapping[str, Hyperparameter]) -> str:
    close = difflib.get_close_matches(name, table, n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(table)}"
