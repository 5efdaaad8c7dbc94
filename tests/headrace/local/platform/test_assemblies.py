"""The app is synthesized once for what synthesis reads."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from headrace.local.platform import assemblies
from headrace.local.platform.assemblies import SOURCES, synthesizing
from headrace.tools import ToolError


class StandIn:
    """Synthesizes as `cdk synth` does, and counts how often."""

    def __init__(self) -> None:
        self.made = 0
        self.meanwhile: Callable[[], object] = lambda: None
        self._assembly = Path()

    @contextmanager
    def start(self, environment: str, assembly: Path) -> Iterator["StandIn"]:
        self._assembly = assembly
        yield self

    def finish(self) -> None:
        self.made += 1
        self._assembly.mkdir()
        (self._assembly / "manifest.json").write_text(f"{self.made}")
        self.meanwhile()


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of a file in every place that synthesis reads."""
    folder = tmp_path / "checkout"
    for source in SOURCES:
        file = folder / source if Path(source).suffix else folder / source / "part.py"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("before")
    monkeypatch.setattr(assemblies, "CHECKOUT", folder)
    return folder


@pytest.fixture
def stand_in(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    found = StandIn()
    monkeypatch.setattr(assemblies, "start_synthesis", found.start)
    return found


@pytest.fixture
def kept_in(tmp_path: Path) -> Path:
    folder = tmp_path / "assemblies"
    folder.mkdir()
    return folder


def synthesize(kept_in: Path, environment: str = "dev") -> str:
    """What the manifest says of which synthesis it is."""
    with synthesizing(environment, kept_in) as finish:
        return (finish() / "manifest.json").read_text()


def test_synthesizes_an_environment_once(stand_in: StandIn, kept_in: Path) -> None:
    assert [synthesize(kept_in, environment) for environment in ("dev", "prod", "dev", "prod")] == ["1", "2", "1", "2"]


@pytest.mark.parametrize("source", SOURCES)
def test_synthesizes_again_when_a_source_has_changed(
    source: str, checkout: Path, stand_in: StandIn, kept_in: Path
) -> None:
    synthesize(kept_in)
    (file,) = (path for path in [checkout / source, checkout / source / "part.py"] if path.is_file())
    file.write_text("after!")

    assert synthesize(kept_in) == "2"


def test_takes_no_bytecode_for_a_source(checkout: Path, stand_in: StandIn, kept_in: Path) -> None:
    synthesize(kept_in)
    (checkout / "stacks" / "__pycache__").mkdir()
    (checkout / "stacks" / "__pycache__" / "part.pyc").touch()

    assert synthesize(kept_in) == "1"


def test_takes_what_another_command_has_made_meanwhile(stand_in: StandIn, kept_in: Path) -> None:
    def make_another() -> None:
        stand_in.meanwhile = lambda: None
        synthesize(kept_in)

    stand_in.meanwhile = make_another

    assert synthesize(kept_in) == "2"
    assert len(list(kept_in.iterdir())) == 1


def test_keeps_nothing_of_a_synthesis_that_fails(stand_in: StandIn, kept_in: Path) -> None:
    def fail() -> None:
        raise ToolError("cdk synth failed")

    stand_in.meanwhile = fail

    with pytest.raises(ToolError):
        synthesize(kept_in)

    assert list(kept_in.iterdir()) == []


def test_removes_what_nobody_has_used_for_a_day(stand_in: StandIn, kept_in: Path) -> None:
    synthesize(kept_in, "prod")
    synthesize(kept_in, "dev")
    for kept in kept_in.iterdir():
        os.utime(kept, (0, time.time() - 23 * 3600))
    synthesize(kept_in, "dev")
    for kept in kept_in.iterdir():
        os.utime(kept, (0, kept.stat().st_mtime - 2 * 3600))

    assert synthesize(kept_in, "dev") == "2"
    assert len(list(kept_in.iterdir())) == 1
