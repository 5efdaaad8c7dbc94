from pathlib import Path

import pytest

from headrace.container_images.engine import Engine, EngineError, EngineName, find_engine


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def install(programs: Path, name: str, script: str) -> None:
    program = programs / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_prefers_docker_when_its_daemon_answers(programs: Path) -> None:
    install(programs, "docker", "exit 0")
    install(programs, "podman", "exit 0")

    assert find_engine() == Engine(EngineName.DOCKER)


def test_takes_podman_when_dockers_daemon_does_not_answer(programs: Path) -> None:
    install(programs, "docker", "exit 1")
    install(programs, "podman", "exit 0")

    assert find_engine() == Engine(EngineName.PODMAN)


def test_says_what_to_install_when_there_is_no_engine(programs: Path) -> None:
    with pytest.raises(EngineError, match="start Docker, or install podman: 'apt-get install podman'"):
        find_engine()


def test_takes_no_other_engine_than_the_one_asked_for(programs: Path) -> None:
    install(programs, "podman", "exit 0")

    with pytest.raises(EngineError, match="docker does not answer"):
        find_engine(EngineName.DOCKER)


def test_ends_an_error_with_the_engines_own_words(programs: Path) -> None:
    install(programs, "podman", "echo 'no space left' >&2; exit 125")

    with pytest.raises(EngineError, match=r"building training failed:\nno space left"):
        Engine(EngineName.PODMAN).call("building training", ["build"])


def test_gives_a_command_its_standard_input(programs: Path) -> None:
    install(programs, "podman", 'read -r line; echo "read $line"')

    assert Engine(EngineName.PODMAN).call("reading", [], stdin="secret\n") == "read secret"
