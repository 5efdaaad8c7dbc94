"""Log lines of a job: a constant event name, then its fields."""

import sys


def log_event(event: str, **fields: object) -> None:
    """Write one line of progress to standard output."""
    sys.stdout.write(format_event(event, fields))


def warn_event(event: str, **fields: object) -> None:
    """Write one line to standard error about something the user may not expect."""
    sys.stderr.write(format_event(event, fields))


def format_event(event: str, fields: dict[str, object]) -> str:
    """One line such as `rows_read files=1 rows=8523`."""
    return " ".join([event, *(f"{name}={value}" for name, value in fields.items())]) + "\n"
