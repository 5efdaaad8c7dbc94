"""The function's settings are all there, or it does not start."""

import pytest

from lambdas.image_normalizer.contract import Variable
from lambdas.image_normalizer.environment import Environment, EnvironmentVariableError
from lambdas.image_normalizer.s3 import Place
from lambdas.image_normalizer.signing import Credentials

VARIABLES: dict[str, str] = {
    Variable.SOURCE: "point",
    Variable.CACHE_BUCKET: "work",
    Variable.KEEPS_ALL: "true",
    Variable.DNS_SUFFIX: "amazonaws.com",
    "AWS_REGION": "eu-west-1",
    "AWS_ACCESS_KEY_ID": "AKID",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_SESSION_TOKEN": "token",
}


def test_reads_what_the_infrastructure_and_lambda_set() -> None:
    assert Environment.from_variables(VARIABLES) == Environment(
        source="point",
        cache_bucket="work",
        keeps_all=True,
        place=Place("eu-west-1", "amazonaws.com"),
        transformation="image",
        credentials=Credentials("AKID", "secret", "token"),
    )


def test_transforms_otherwise_where_the_infrastructure_says_so() -> None:
    assert Environment.from_variables(VARIABLES | {Variable.TRANSFORMATION: "text"}).transformation == "text"


@pytest.mark.parametrize("name", sorted(VARIABLES.keys() - {"AWS_SESSION_TOKEN"}))
def test_names_a_variable_that_is_missing(name: str) -> None:
    variables = {other: value for other, value in VARIABLES.items() if other != name}

    with pytest.raises(EnvironmentVariableError, match=f"{name} is not set"):
        Environment.from_variables(variables)


def test_refuses_a_switch_that_is_neither_on_nor_off() -> None:
    with pytest.raises(EnvironmentVariableError, match="'yes'; it must be 'true' or 'false'"):
        Environment.from_variables(VARIABLES | {Variable.KEEPS_ALL: "yes"})


@pytest.mark.parametrize("token", [{}, {"AWS_SESSION_TOKEN": ""}])
def test_needs_no_session_token(token: dict[str, str]) -> None:
    variables = {name: value for name, value in VARIABLES.items() if name != "AWS_SESSION_TOKEN"} | token

    assert Environment.from_variables(variables).credentials.token is None


@pytest.mark.parametrize(
    ("variables", "endpoint"),
    [
        ({}, None),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566/"}, "http://127.0.0.1:4566"),
        ({"AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_S3": "http://s3"}, "http://s3"),
        ({"AWS_ENDPOINT_URL": "http://all", "AWS_ENDPOINT_URL_S3": ""}, "http://all"),
    ],
)
def test_finds_another_server_where_awss_tools_find_it(variables: dict[str, str], endpoint: str | None) -> None:
    assert Environment.from_variables(VARIABLES | variables).place.endpoint == endpoint
