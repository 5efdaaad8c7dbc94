"""What is found wrong with a definition, in Step Functions' words."""

from dataclasses import dataclass, field
from enum import StrEnum


class Code(StrEnum):
    """Kinds of faults, as ValidateStateMachineDefinition calls them."""

    JSON = "INVALID_JSON_DESCRIPTION"
    SCHEMA = "SCHEMA_VALIDATION_FAILED"
    TARGET = "MISSING_TRANSITION_TARGET"
    DUPLICATE = "DUPLICATE_STATE_NAME"
    JSONATA = "INVALID_JSONATA_EXPRESSION"


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        code: Its kind.
        message: What is wrong.
        place: Where in the definition.
    """

    code: Code
    message: str
    place: str

    def __str__(self) -> str:
        return f"{self.code}: {self.message} at {self.place}"


@dataclass
class Findings:
    """All faults of a definition."""

    faults: list[Fault] = field(default_factory=list)

    def add(self, message: str, place: str, code: Code = Code.SCHEMA) -> None:
        """Note a fault."""
        self.faults.append(Fault(code, message, place or "/"))
