"""The registry of a workload's models: where versions are, and JSONata about what is known of one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import aws_s3 as s3

from headrace.contract import METRIC_FACT, SERVED_AT_FACT, VersionFact
from stacks.pipeline.asl import in_milliseconds, jsonata
from stacks.settings.approval import ApprovalSettings

# What must be assigned before: that nothing serves yet that could be compared with, and that no version is meant.
VARIABLES: Final[Mapping[str, Any]] = {
    "package": jsonata("''"),
    "model_data": jsonata("''"),
    "parent": jsonata("''"),
    "not_compared": jsonata("''"),
    "serving_metrics": jsonata("{}"),
    "hyperparameters": jsonata("{}"),
    "metrics": jsonata("{}"),
    "fingerprint": jsonata("''"),
    "record": jsonata("''"),
    "images": jsonata("''"),
    "archive": jsonata("''"),
    "served_home": jsonata("{}"),
    "not_noted": jsonata("''"),
    "spare_facts": jsonata("[]"),
}

_FACTS: Final = "$states.result.CustomerMetadataProperties"
_NUMBER: Final = "/^-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]+)?$/"
_DAY: Final = 24 * 3600 * 1000


@dataclass(frozen=True, kw_only=True)
class ModelRegistry:
    """Where the versions of a workload's model are, and how one gets there.

    Args:
        group: The model package group's name.
        version_arns: What the ARN of every version in it begins with.
        archives: Where archives of models may be: buckets, each with the prefix of their keys.
        approval: Who approves a version.
        image_uri: The container image that serves it.
        content_type: What it is asked with.
        commit: The commit that the app was synthesized from, where that is known.
    """

    group: str
    version_arns: str
    archives: Sequence[tuple[s3.IBucket, str]]
    approval: ApprovalSettings
    image_uri: str
    content_type: str
    commit: str

    @property
    def limits(self) -> dict[str, Any]:
        """The conditions for making a version: where a person approves, no definition makes one that is approved."""
        pending = {"StringEquals": {"sagemaker:ModelApprovalStatus": "PendingManualApproval"}}
        return pending if self.approval.mode == "human" else {}

    def is_version(self, arn: str) -> str:
        """Whether this JSONata is the ARN of one of its versions."""
        return _is_below(arn, self.version_arns, "/^[1-9][0-9]{0,8}$/")

    def is_archive(self, uri: str) -> str:
        """Whether this JSONata is where an archive may be."""
        below = (_is_below(uri, address, "/^[^ ]+[.]tar[.]gz$/") for address in self.list_addresses())
        return f"({' or '.join(below)}) and $length({uri}) <= 1024"

    def list_addresses(self) -> list[str]:
        """The addresses below which archives may be."""
        return [f"s3://{bucket.bucket_name}/{prefix}" for bucket, prefix in self.archives]

    def has_expired(self) -> str:
        """Whether the version in a task's result has waited too long for somebody to approve it."""
        if not self.approval.expires_days:
            return "false"
        created = in_milliseconds("$states.result.CreationTime")
        age = f"$toMillis($states.context.Execution.StartTime) - {created}"
        served = " or ".join(f"$exists({find_fact(fact)})" for fact in (VersionFact.SERVED, VersionFact.TRANSFORMED))
        waits = f"{find_fact(VersionFact.APPROVAL)} = 'human' and $not({served})"
        return f"{waits} and {age} > {self.approval.expires_days * _DAY}"


def find_fact(fact: VersionFact) -> str:
    """A fact about the version in a task's result; nothing where it is not known."""
    return f"$lookup({_FACTS}, '{fact}')"


def find_places() -> str:
    """The endpoints at which the version in a task's result has served, in lower case, as a list.

    As `headrace.contract.list_served_places` has them.
    """
    length, home = len(SERVED_AT_FACT), find_fact(VersionFact.ENDPOINT)
    return (
        f"( {_FIND_NOTED} $not($exists({find_fact(VersionFact.SERVED)})) ? [] "
        f": $count($noted) > 0 ? [$noted.$substring($, {length})] : $exists({home}) ? [$lowercase({home})] : [] )"
    )


def find_served_home() -> str:
    """Since when the version in a task's result has served at the endpoint that it is for, as a fact for it.

    Only of a version of before endpoints were noted: once one is, `headrace:served` alone no longer says so.
    """
    since, home = find_fact(VersionFact.SERVED), find_fact(VersionFact.ENDPOINT)
    return (
        f"( {_FIND_NOTED} $count($noted) = 0 and {_SERVED_AT_HOME} "
        f"? {{ '{SERVED_AT_FACT}' & $lowercase({home}): {since} }} : {{}} )"
    )


_FIND_NOTED: Final = (
    f"$facts := {_FACTS}; $noted := [$keys($facts)[$substring($, 0, {len(SERVED_AT_FACT)}) = '{SERVED_AT_FACT}']];"
)
_SERVED_AT_HOME: Final = f"$exists({find_fact(VersionFact.SERVED)}) and $exists({find_fact(VersionFact.ENDPOINT)})"


def find_metrics() -> str:
    """The metrics of the version in a task's result, by name; whatever is not a number is left out."""
    length = len(METRIC_FACT)
    return (
        f"( $facts := {_FACTS}; $kept := $exists($facts) ? $sift($facts, function($value, $key) {{ "
        f"$substring($key, 0, {length}) = '{METRIC_FACT}' and $contains($value, {_NUMBER}) }}); "
        f"$exists($kept) ? $merge($each($kept, function($value, $key) {{ "
        f"{{ $substring($key, {length}): $number($value) }} }})) : {{}} )"
    )


def _is_below(text: str, prefix: str, rest: str) -> str:
    after = f"$substringAfter({text}, '{prefix}')"
    return f"('{prefix}' & {after} = {text} and $contains({after}, {rest}))"
