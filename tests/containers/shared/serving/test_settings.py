from pathlib import Path

import pytest

from containers.shared.serving.settings import ServerSettings, ServerSettingsError, read_server_settings
from headrace.cpus import count_cpus


def test_serves_as_sagemaker_expects_when_nothing_is_said() -> None:
    assert read_server_settings({}) == ServerSettings(
        root=Path("/opt/ml"),
        host="0.0.0.0",  # noqa: S104
        port=8080,
        workers=count_cpus(),
        access_log="summary",
    )


def test_takes_what_the_environment_says() -> None:
    environment = {
        "HEADRACE_ML_ROOT": "/elsewhere",
        "HEADRACE_BIND_HOST": "127.0.0.1",
        "SAGEMAKER_BIND_TO_PORT": "9000",
        "HEADRACE_SERVE_WORKERS": "3",
        "HEADRACE_ACCESS_LOG": "every",
    }

    assert read_server_settings(environment) == ServerSettings(
        root=Path("/elsewhere"), host="127.0.0.1", port=9000, workers=3, access_log="every"
    )


@pytest.mark.parametrize(
    ("name", "meant"),
    [("HEADRACE_SERVE_WORKER", "HEADRACE_SERVE_WORKERS"), ("HEADRACE_ACESS_LOG", "HEADRACE_ACCESS_LOG")],
)
def test_names_a_variable_that_is_misspelt(name: str, meant: str) -> None:
    with pytest.raises(ServerSettingsError) as raised:
        read_server_settings({name: "1"})

    assert str(raised.value) == f"environment variable {name} is not known; did you mean {meant}?"


def test_leaves_other_programs_their_variables() -> None:
    assert read_server_settings({"HEADRACE_IMAGES": "", "SAGEMAKER_REGION": ""}) == read_server_settings({})


def test_names_an_access_log_that_does_not_exist() -> None:
    with pytest.raises(ServerSettingsError) as raised:
        read_server_settings({"HEADRACE_ACCESS_LOG": "none"})

    assert str(raised.value) == "environment variable HEADRACE_ACCESS_LOG: 'none' is not one of summary, every"


@pytest.mark.parametrize("text", ["", "0", "65536", "http", "80.0", "9" * 5000])
def test_names_a_port_that_cannot_be_used(text: str) -> None:
    with pytest.raises(ServerSettingsError) as raised:
        read_server_settings({"SAGEMAKER_BIND_TO_PORT": text})

    assert str(raised.value) == (
        f"environment variable SAGEMAKER_BIND_TO_PORT: {text!r} is not a whole number from 1 to 65535"
    )


@pytest.mark.parametrize(("text", "expected"), [("true", True), ("false", False), ("", False)])
def test_knows_that_a_batch_transform_job_calls(text: str, expected: bool) -> None:
    assert read_server_settings({"SAGEMAKER_BATCH": text}).is_batch is expected
