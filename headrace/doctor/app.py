"""The app that is to be deployed: its settings, its synthesis, and what the CDK command line says of it."""

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from headrace.assemblies import AssemblyError
from headrace.cdk import find_cdk, find_toolchain
from headrace.checkout import CHECKOUT, RefusedSettingsError, read_settings_region
from headrace.doctor.asking import NotSeen
from headrace.doctor.findings import Check, Finding, Severity, not_seen
from headrace.doctor.needs import Needs, read_needs
from headrace.doctor.requests import is_local
from headrace.recipes import list_recipes
from headrace.tools import ToolError

_SECONDS: Final = 60
_SHOWN_LINES: Final = 20
_PLAIN: Final = ("--no-color", "--no-notices", "--ci")
_NOTHING_FOUND: Final = "no issues found"


@dataclass(frozen=True)
class Settings:
    """What the settings of an environment say.

    Args:
        region: The Region that they name, if they name one.
        mistake: What is wrong with them; empty for nothing.
    """

    region: str | None = None
    mistake: str = ""


def read_settings(environment: str) -> Settings:
    """The settings of an environment, checked as synthesis checks them."""
    try:
        return Settings(read_settings_region(environment))
    except RefusedSettingsError as error:
        return Settings(mistake=str(error))


def check_settings(settings: Settings, environment: str) -> Iterator[Finding]:
    """What the settings refuse: keys that are unknown, values that cannot be, settings that contradict each other."""
    for line in settings.mistake.splitlines():
        yield Finding(
            check=Check.SETTINGS,
            severity=Severity.ERROR,
            place="cdk.json",
            problem=line.strip(),
            cure=f"change it below context.environments.{environment}; docs/settings.md has every setting",
        )


@contextmanager
def synthesize(environment: str) -> Iterator["Synthesis"]:
    """Start to synthesize the app, as it would be deployed to where the AWS clients lead."""
    # It takes the local cloud's modules along.
    from headrace.local.platform.deployment import start_synthesis

    target = "host" if is_local() else "graviton"
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "assembly"
        with start_synthesis(environment, folder, target=target) as tool:
            yield Synthesis(folder, tool.finish)


@contextmanager
def take_assembly(folder: Path) -> Iterator["Synthesis"]:
    """An app that is synthesized already."""
    yield Synthesis(folder, lambda: None)


class Synthesis:
    """A synthesis that may be under way.

    Args:
        folder: Where it writes.
        finish: Waits for it, and raises a ToolError where it fails.
    """

    def __init__(self, folder: Path, finish: Callable[[], None]) -> None:
        self.folder = folder
        self._finish = finish

    def read(self) -> Needs | Finding:
        """What the app needs, or why there is none."""
        try:
            self._finish()
            return read_needs(self.folder, _list_connection_variables())
        except ToolError as error:
            return _fail("cdk synth", _show_end(str(error)), "mend what it names")
        except AssemblyError as error:
            return _fail(str(self.folder), str(error), "cdk synth --output FOLDER")


def validate(folder: Path) -> list[Finding]:
    """What `cdk validate` finds in a synthesized app, without asking AWS.

    Args:
        folder: What `cdk synth` wrote.
    """
    answer = _run_cdk("validate", folder, "--no-online", "--unstable=validate")
    if isinstance(answer, NotSeen):
        return [not_seen(Check.TEMPLATES, str(folder), answer.reason)]
    if answer.returncode == 0:
        return []
    return [_fail(str(folder), _show_end(answer.stdout + answer.stderr), "mend or acknowledge what it names")]


def diagnose(folder: Path, stack: str, variables: Mapping[str, str]) -> str:
    """Why a stack failed, in the words of `cdk diagnose`; empty where it finds nothing.

    Args:
        folder: What `cdk synth` wrote.
        stack: The stack's id.
        variables: What the environment of the command line has besides, such as the AWS profile.
    """
    answer = _run_cdk("diagnose", folder, stack, "--unstable=diagnose", variables=variables)
    if isinstance(answer, NotSeen) or _NOTHING_FOUND in answer.stdout + answer.stderr:
        return ""
    return _show_end(answer.stdout + answer.stderr)


def _run_cdk(
    verb: str, folder: Path, *arguments: str, variables: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str] | NotSeen":
    try:
        return subprocess.run(
            [*find_cdk(), verb, *arguments, "--app", str(folder.resolve()), *_PLAIN],
            cwd=CHECKOUT,
            env={**os.environ, **find_toolchain(), **(variables or {})},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
    except (ToolError, subprocess.TimeoutExpired) as error:
        return NotSeen(str(error))


def _list_connection_variables() -> list[str]:
    """The variables that say with how many connections a training program reads normalized images."""
    trainings = (recipe.training for recipe in list_recipes())
    return [training.normalizer.connections for training in trainings if training.normalizer]


def _show_end(text: str) -> str:
    return "\n".join(text.strip().splitlines()[-_SHOWN_LINES:])


def _fail(place: str, problem: str, cure: str) -> Finding:
    return Finding(check=Check.TEMPLATES, severity=Severity.ERROR, place=place, problem=problem, cure=cure)
