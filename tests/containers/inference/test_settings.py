from pathlib import Path

import pytest

from containers.inference.settings import Settings, read_settings
from containers.shared.cpus import count_cpus
from containers.shared.server_settings import SettingsError


def test_serves_as_sagemaker_expects_when_nothing_is_said() -> None:
    assert read_settings({}) == Settings(
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

    assert read_settings(environment) == Settings(
        root=Path("/elsewhere"), host="127.0.0.1", port=9000, workers=3, access_log="every"
    )


def test_names_an_access_log_that_does_not_exist() -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings({"HEADRACE_ACCESS_LOG": "none"})

    assert str(raised.value) == "environment variable HEADRACE_ACCESS_LOG: 'none' is not one of summary, every"
