"""The three ways in: train a model, make a version of an archive, or deploy a version that there is."""

from collections.abc import Mapping
from typing import Final

from headrace import contract
from stacks.pipeline import as_asked
from stacks.pipeline.asl import Choice, Pass, Rule, State, jsonata
from stacks.pipeline.step import Step
from stacks.pipeline.steps import mark_served, register, save_model
from stacks.pipeline.steps.read_version import IS_GIVEN

_CHOOSE: Final = "Choose Way In"
_TAKE: Final = "Take Archive"
_IS_ARCHIVE: Final = f"$exists($request.{contract.MODEL_DATA_URL_INPUT})"


def choose_way_in(after: str) -> Mapping[str, State]:
    """Go on to the first step that the input asks for; the default is to train.

    A version that serves already has nothing to be done unless the settings have changed since: who approves one twice,
    or two people at once, gets the same.
    """
    return _choose(_find_served(), after=after)


def choose_way_in_to_batch(after: str) -> Mapping[str, State]:
    """The same where no endpoint is made: a version may be asked about one batch after the other."""
    return _choose(after=after)


def _find_served() -> Rule:
    return Rule(
        condition=f"{IS_GIVEN} and $parent = $package and ${as_asked.VARIABLE} and $endpoint.Status = 'InService'",
        next=mark_served.ENTRY,
        assign={
            "model": jsonata("$serving_model"),
            "config": jsonata("$endpoint.ConfigName"),
            "serving": jsonata("$endpoint.ConfigName"),
        },
    )


def _choose(*first: Rule, after: str) -> Mapping[str, State]:
    return {
        _CHOOSE: Choice(
            rules=(
                *first,
                Rule(condition=IS_GIVEN, next=save_model.ENTRY),
                Rule(condition=_IS_ARCHIVE, next=_TAKE),
            ),
            default=after,
        ),
        _TAKE: Pass(
            assign={"model_data": jsonata(f"$request.{contract.MODEL_DATA_URL_INPUT}"), "job_name": jsonata("''")},
            next=register.ENTRY,
        ),
    }


# For type checkers: they are steps.
_: tuple[Step, Step] = (choose_way_in, choose_way_in_to_batch)
