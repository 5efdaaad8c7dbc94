from pathlib import Path

import pytest

from containers.shared.cpus import count_cpus
from containers.shared.server_settings import ServerSettings, SettingsError, read_server_settings


def test_serves_as_sagemaker_expects_when_nothing_is_said() -> None:
    assert read_server_settings({}) == ServerSettings(
        root=Path("/opt/ml"),
        host="0.0.0.0",  # noqa: S104
        port=8080,
        workers=count_cpus(),
    )


@pytest.mark.parametrize("text", ["", "0", "65536", "http", "80.0", "9" * 5000])
def test_names_a_port_that_cannot_be_used(text: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_server_settings({"SAGEMAKER_BIND_TO_PORT": text})

    assert str(raised.value) == (
        f"environment variable SAGEMAKER_BIND_TO_PORT: {text!r} is not a whole number from 1 to 65535"
    )
