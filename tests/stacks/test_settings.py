"""Settings are read whole or refused with every mistake named."""

import copy
from typing import Any

import pytest
from pydantic import ValidationError

from stacks.settings import Settings, SettingsError
from tests.stacks.conftest import read_context


def environments_with(path: str, value: Any) -> dict[str, Any]:
    """The environments of cdk.json with one value of `dev` changed, or removed when it is `...`."""
    environments: dict[str, Any] = copy.deepcopy(read_context()["environments"])
    *sections, key = path.split(".")
    section = environments["dev"]
    for name in sections:
        section = section[name]
    if value is ...:
        del section[key]
    else:
        section[key] = value
    return environments


def refusal(path: str, value: Any) -> str:
    with pytest.raises(SettingsError) as refused:
        Settings.from_mapping("dev", environments_with(path, value))
    return str(refused.value)


def test_reads_every_environment_of_the_project() -> None:
    environments = read_context()["environments"]

    assert [Settings.from_mapping(name, environments).environment for name in environments] == ["dev", "prod"]


def test_names_the_environments_there_are_when_the_chosen_one_is_unknown() -> None:
    with pytest.raises(SettingsError, match=r"^context 'env': found 'staging', allowed: dev, prod$"):
        Settings.from_mapping("staging", read_context()["environments"])


def test_says_where_environments_belong_when_there_are_none() -> None:
    with pytest.raises(SettingsError, match="context 'environments': expected an object per environment"):
        Settings.from_mapping("dev", None)


def test_suggests_the_right_key_when_one_is_misspelt() -> None:
    assert refusal("training.instance_typ", "ml.m5.xlarge") == (
        "environments.dev.training.instance_typ: unknown key (did you mean 'instance_type'?); "
        "allowed: hyperparameters, instance_type, max_runtime_seconds, volume_gib"
    )


def test_lists_the_keys_there_are_when_a_section_is_unknown() -> None:
    assert refusal("kubernetes", {}).startswith("environments.dev.kubernetes: unknown key; allowed: endpoint, ")


def test_names_a_missing_key() -> None:
    assert refusal("endpoint.instance_count", ...) == "environments.dev.endpoint.instance_count: missing"


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("retain_data", "yes", "found 'yes': input should be a valid boolean"),
        ("training.volume_gib", "30", "found '30': input should be a valid integer"),
        ("training.volume_gib", 0, "found 0: input should be greater than or equal to 1"),
        ("training.max_runtime_seconds", 2_419_201, "found 2419201: input should be less than or equal to 2419200"),
        ("training.hyperparameters", {"n": "x" * 257}, "string should have at most 256 characters"),
        ("preprocessing.train_test_split_ratio", 1, "found 1: input should be less than 1"),
        ("storage", 3, "found 3: input should be a valid dictionary"),
        ("pipeline.log_retention_days", 29, "found 29: cloudWatch Logs keeps logs for one of 1, 3, 5"),
        ("endpoint.instance_type", "m5.large", "found 'm5.large': string should match pattern"),
        ("endpoint.instance_type", "ml.m4.xlarge", "found 'ml.m4.xlarge': the m4 family is retired; use a current one"),
        ("training.instance_type", "ml.m7g.xlarge", "found 'ml.m7g.xlarge': jobs do not run on Graviton (m7g)"),
    ],
)
def test_says_what_was_found_and_what_is_allowed(path: str, value: Any, reason: str) -> None:
    message = refusal(path, value)

    assert message.startswith(f"environments.dev.{path}")
    assert reason in message


def test_serves_on_graviton() -> None:
    environments = environments_with("endpoint.instance_type", "ml.c7g.xlarge")

    assert Settings.from_mapping("dev", environments).endpoint.instance_type == "ml.c7g.xlarge"


def test_names_every_mistake_at_once() -> None:
    environments = environments_with("training.volume_gib", 0)
    environments["dev"]["registry"] = {"images_kept": 0}

    with pytest.raises(SettingsError) as refused:
        Settings.from_mapping("dev", environments)

    assert [line.split(":")[0] for line in str(refused.value).splitlines()] == [
        "environments.dev.registry.images_kept",
        "environments.dev.training.volume_gib",
    ]


def test_cannot_be_changed() -> None:
    settings = Settings.from_mapping("dev", read_context()["environments"])

    with pytest.raises(ValidationError, match="frozen"):
        settings.retain_data = True
