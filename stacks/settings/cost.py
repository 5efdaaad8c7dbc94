"""The settings of what `headrace cost` assumes of use."""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import AfterValidator

from headrace.cost.scenarios import SCENARIOS, ScenarioError
from stacks.settings.section import NOTHING, Allowed, Change, Section, Setting


def _check_assumptions(given: Mapping[str, float]) -> Mapping[str, float]:
    try:
        SCENARIOS["low"].change(given)
    except ScenarioError as error:
        raise ValueError(str(error)) from None
    return given


Assumptions = Annotated[
    Mapping[str, float],
    AfterValidator(_check_assumptions),
    Allowed("an object of numbers by assumption, as [cost.md](cost.md#scenarios) lists them"),
]
# CloudFormation takes no update of metadata alone.
_NOTED = Change("noted in the metadata of `Storage` with its next change; nothing that costs or runs changes")


_USUAL: Final[Mapping[str, float]] = {}


class CostSettings(Section):
    """What differs from the usual assumptions of the scenarios."""

    low: Annotated[Assumptions, Setting("how much is used a month in the scenario `low`", NOTHING, _NOTED)] = _USUAL
    moderate: Annotated[Assumptions, Setting("how much in the scenario `moderate`", NOTHING, _NOTED)] = _USUAL
    high: Annotated[Assumptions, Setting("how much in the scenario `high`", NOTHING, _NOTED)] = _USUAL

    @property
    def scenarios(self) -> Mapping[str, Mapping[str, float]]:
        """What differs, by scenario; nothing for those that are as usual."""
        given = {"low": self.low, "moderate": self.moderate, "high": self.high}
        return {name: changes for name, changes in given.items() if changes}
