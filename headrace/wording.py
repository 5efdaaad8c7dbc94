"""English that depends on a number."""


def counted(count: int, noun: str) -> str:
    """A number and what it counts, a regular noun in the singular: `1 line`, `1,200 lines`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
