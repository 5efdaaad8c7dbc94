"""The program's entry: `python -m inference serve`."""

import sys
from collections.abc import Sequence

from containers.shared import sagemaker
from containers.shared.server_settings import SettingsError
from containers.shared.serving import check_command, serve

from .settings import read_settings


def main(arguments: Sequence[str]) -> int:
    """Serve until told to stop, and return the exit code."""
    try:
        check_command(arguments)
        settings = read_settings()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return sagemaker.USER_ERROR_EXIT
    serve(
        __package__,
        settings,
        http=f"{__package__}.connections:PatientProtocol",
        ws="none",
        lifespan="on",
        log_level="error",
        server_header=False,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
