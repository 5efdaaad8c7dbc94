"""What an examination finds."""

from dataclasses import asdict, dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad a finding is."""

    # A deployment, or an execution after it, fails.
    ERROR = "error"
    # It works, but not as well as it might.
    WARNING = "warning"
    # Nothing is known of it.
    NOT_SEEN = "not seen"


class Check(StrEnum):
    """What is looked at; docs/doctor.md has a line for each."""

    PYTHON = "python"
    NODE = "node"
    CDK = "cdk"
    CONTAINER_ENGINE = "container-engine"
    SAGEMAKER_SDK = "sagemaker-sdk"
    SETTINGS = "settings"
    TEMPLATES = "templates"
    CREDENTIALS = "credentials"
    BOOTSTRAP = "bootstrap"
    STACKS = "stacks"
    QUOTAS = "quotas"
    LAMBDA_CONCURRENCY = "lambda-concurrency"
    REGION = "region"
    ZONES = "zones"
    INSTANCE_TYPES = "instance-types"
    CONTAINER_IMAGES = "container-images"
    OBJECT_LAMBDA = "object-lambda"
    API_LOGS = "api-logs"
    EXISTING = "existing"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Something that is wrong, or that could not be looked at.

    Args:
        check: What was looked at.
        severity: How bad it is.
        place: Where it is: a file and a key, a program, an account and a Region, a stack.
        problem: What is wrong.
        cure: What to do about it, best a command; empty where there is nothing to do.
    """

    check: Check
    severity: Severity
    place: str
    problem: str
    cure: str = ""

    def as_json(self) -> dict[str, str]:
        """For programs: the names of the fields are the keys."""
        return {name: str(value) for name, value in asdict(self).items()}


def not_seen(check: Check, place: str, reason: str, cure: str = "") -> Finding:
    """That something could not be looked at."""
    return Finding(check=check, severity=Severity.NOT_SEEN, place=place, problem=reason, cure=cure)
