"""Where an environment is, for commands that know no stacks: `python -m stacks.settings.where ENVIRONMENT`."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from headrace.errors import HeadraceError
from stacks.settings.environment import ENVIRONMENTS_KEY, Settings

_CONTEXT: Final = Path(__file__).resolve().parents[2] / "cdk.json"


def find_region(environment: str, environments: Mapping[str, Any]) -> str | None:
    """The Region that the settings of an environment name, if they name one; there may be no such environment any more.

    Raises:
        SettingsError: If the settings are wrong.
    """
    return Settings.from_mapping(environment, environments).region if environment in environments else None


def main() -> None:
    """Print the Region, or nothing."""
    try:
        environments = json.loads(_CONTEXT.read_text(encoding="utf-8"))["context"][ENVIRONMENTS_KEY]
        sys.stdout.write(find_region(sys.argv[1], environments) or "")
    except HeadraceError as error:
        sys.exit(str(error))
    except ValueError as error:
        sys.exit(f"it is not JSON: {error}")
    except LookupError as error:
        sys.exit(f"it has no key {error}")


if __name__ == "__main__":
    main()
