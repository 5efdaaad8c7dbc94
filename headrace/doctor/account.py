"""What an account and its Region have, as far as they say."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from headrace.doctor.asking import NotSeen

_MADE: Final = ("CREATE_COMPLETE", "IMPORT_COMPLETE")
_UPDATED: Final = "UPDATE_"


@dataclass(frozen=True)
class Identity:
    """Whose account it is, and where.

    Args:
        number: The account.
        arn: Who asks.
        region: The Region.
        is_local: Whether it is a local cloud, which stands for every Region.
    """

    number: str
    arn: str
    region: str
    is_local: bool = False

    def __str__(self) -> str:
        return f"{'local cloud' if self.is_local else self.number}, {self.region}"

    @property
    def partition(self) -> str:
        """What ARNs there begin with, after `arn:`."""
        return self.arn.split(":")[1]


@dataclass(frozen=True)
class Quota:
    """A quota of SageMaker as Service Quotas has it.

    Args:
        code: Its code.
        value: How much there may be.
    """

    code: str
    value: float


@dataclass(frozen=True)
class Stack:
    """A stack that stands, or that failed to.

    Args:
        status: In which state CloudFormation says it is.
        outputs: Its outputs by name.
    """

    status: str
    outputs: Mapping[str, str]

    @property
    def stands(self) -> bool:
        """Whether it was made, whatever has become of updates since."""
        return self.status in _MADE or self.status.startswith(_UPDATED)


@dataclass(frozen=True)
class Concurrency:
    """How many requests at once Lambda serves.

    Args:
        limit: All functions of the account together.
        unreserved: Those that reserve nothing.
    """

    limit: int
    unreserved: int


@dataclass(frozen=True)
class ContainerImage:
    """A container image in ECR.

    Args:
        uri: By what it is pulled.
        registry: The account that has it.
        repository: The name of its repository.
        tag: Its tag.
    """

    uri: str
    registry: str
    repository: str
    tag: str


@dataclass(frozen=True, kw_only=True)
class Account:
    """What an account and its Region have; `NotSeen` where that is not known.

    Args:
        identity: Whose account it is, and where.
        stacks: The environment's stacks by name, those that failed included.
        quotas: The quotas that count, by name.
        bootstrap: The version of the stack of `cdk bootstrap`; 0 where there is none.
        concurrency: How many requests at once Lambda serves.
        zones: The zones of the Region.
        default_zones: Those with a default subnet.
        offers: Where EC2 has instances: the zones by type, such as m5.large.
        has_object_lambda: Whether there is an access point for S3 Object Lambda, which shows that the account may.
        writes_api_logs: Whether API Gateway has a role by which it writes logs; the account has one or none there.
        existing: What the settings name that others keep, and what is wrong with it; empty for nothing.
        container_images: Those that were asked for, and whether they are there.
    """

    identity: Identity
    stacks: Mapping[str, Stack] | NotSeen
    quotas: Mapping[str, Quota] | NotSeen
    bootstrap: int | NotSeen
    concurrency: Concurrency | NotSeen
    zones: frozenset[str] | NotSeen
    default_zones: tuple[str, ...] | NotSeen
    offers: Mapping[str, frozenset[str]] | NotSeen
    has_object_lambda: bool | NotSeen
    writes_api_logs: bool | NotSeen
    existing: Mapping[str, str | NotSeen]
    container_images: Mapping[ContainerImage, bool | NotSeen]
