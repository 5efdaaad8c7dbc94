"""The CDK command line of the checkout, and the toolchain that it needs."""

import os
import shutil
import sys
from pathlib import Path
from typing import Final

from headrace.checkout import CHECKOUT
from headrace.tools import ToolError

_PROGRAM: Final = CHECKOUT / "node_modules" / ".bin" / "cdk"
_BOOTSTRAP_TEMPLATE: Final = CHECKOUT / "node_modules/aws-cdk/lib/api/bootstrap/bootstrap-template.yaml"


def find_cdk() -> list[str]:
    """The command that starts the CDK command line.

    Raises:
        ToolError: If it is not installed.
    """
    return [str(_find_installed(_PROGRAM))]


def find_bootstrap_template() -> Path:
    """The template that `cdk bootstrap` deploys.

    Raises:
        ToolError: If the CDK command line is not installed.
    """
    return _find_installed(_BOOTSTRAP_TEMPLATE)


def _find_installed(path: Path) -> Path:
    if not path.exists():
        raise ToolError(f"the CDK command line is not installed at {path}: run 'make setup'")
    return path


def find_toolchain() -> dict[str, str]:
    """What the CDK command line and jsii are given: PATH with this Python and its Node first, and no telemetry.

    Raises:
        ToolError: If there is no Node beside this Python.
    """
    scripts = Path(sys.executable).parent
    if shutil.which("node", path=str(scripts)) is None:
        raise ToolError(f"Node is not installed beside {sys.executable}: run 'make setup'")
    return {
        "PATH": f"{scripts}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        # Away from the project the command line does not read that in cdk.json.
        "CDK_DISABLE_CLI_TELEMETRY": "true",
    }
