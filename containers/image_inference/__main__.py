"""The program's entry: `python -m image_inference serve`."""

import sys
from collections.abc import Sequence

from containers.shared import sagemaker
from containers.shared.server_settings import SettingsError, read_server_settings
from containers.shared.serving import check_command, serve


def main(arguments: Sequence[str]) -> int:
    """Serve until told to stop, and return the exit code."""
    try:
        check_command(arguments)
        settings = read_server_settings()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return sagemaker.USER_ERROR_EXIT
    serve(__package__, settings, http="httptools", log_level="warning")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
