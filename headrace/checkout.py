"""The checkout that the library was imported from; a wheel has none."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from headrace.errors import HeadraceError

CHECKOUT: Final = Path(__file__).resolve().parents[1]


class NoCheckoutError(HeadraceError):
    """What is asked for needs files that only the checkout has."""


def require_checkout(command: str) -> None:
    """Refuse a command that reads the stacks or the containers where there are none.

    Raises:
        NoCheckoutError: If the library was not imported from a checkout.
    """
    if not (CHECKOUT / "cdk.json").is_file():
        raise NoCheckoutError(
            f"'{command}' needs the checkout, with its containers/ and stacks/; this headrace was installed without: "
            "clone its repository and run make setup there"
        )


def has_section(environment: str, name: str) -> bool:
    """Whether the checkout's settings of an environment have a section of a name; what is in it is not looked at."""
    context = json.loads((CHECKOUT / "cdk.json").read_text(encoding="utf-8"))["context"]
    return context["environments"].get(environment, {}).get(name) is not None


class RefusedSettingsError(HeadraceError):
    """The checkout's settings are not accepted; the message says which, what was found and what is allowed."""


def read_settings_region(environment: str) -> str | None:
    """The Region that the checkout's settings of an environment name, as their own program reads them.

    Raises:
        RefusedSettingsError: If the settings are wrong.
    """
    command = [sys.executable, "-m", "stacks.settings.where", environment]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RefusedSettingsError(done.stderr.strip())
    return done.stdout or None
