"""The one command that SageMaker calls a container with."""

from collections.abc import Sequence


def check_command(arguments: Sequence[str], command: str, *, mistake: type[Exception]) -> None:
    """Raise the mistake for anything but the command."""
    if list(arguments) != [command]:
        raise mistake(
            f"expected the one argument {command!r}, found {' '.join(arguments)!r}; "
            f"run the container as `docker run IMAGE {command}`"
        )
