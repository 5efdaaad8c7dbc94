"""The function's settings are all there, or it does not start."""

import pytest

from lambdas.image_normalizer.contract import Variable
from lambdas.image_normalizer.environment import Environment, EnvironmentVariableError

VARIABLES: dict[str, str] = {Variable.SOURCE: "point", Variable.CACHE_BUCKET: "work", Variable.KEEPS_ALL: "true"}


def test_reads_what_the_infrastructure_sets() -> None:
    assert Environment.from_variables(VARIABLES) == Environment(source="point", cache_bucket="work", keeps_all=True)


@pytest.mark.parametrize("name", Variable)
def test_names_a_variable_that_is_missing(name: Variable) -> None:
    variables = {other: value for other, value in VARIABLES.items() if other != name}

    with pytest.raises(EnvironmentVariableError, match=f"{name} is not set"):
        Environment.from_variables(variables)


def test_refuses_a_switch_that_is_neither_on_nor_off() -> None:
    with pytest.raises(EnvironmentVariableError, match="'yes'; it must be 'true' or 'false'"):
        Environment.from_variables(VARIABLES | {Variable.KEEPS_ALL: "yes"})
