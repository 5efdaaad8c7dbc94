"""Find what is compared in a check for drift: the profile of the version that serves, and days of captured requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import Aws
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from headrace.contract import EXECUTIONS_PREFIX
from headrace.drift.contract import NOT_COMPARED, Finding, Verdict
from headrace.provenance import PROFILE_FILE
from stacks.ownership import in_this_account
from stacks.pipeline.asl import CALL_SECONDS, Choice, Rule, State, Task, jsonata, retry_busy
from stacks.pipeline.failure import keep_failure
from stacks.pipeline.permission import Permission
from stacks.pipeline.step import Step

_SERVES: Final = "Version Serves"
_PROFILE: Final = "Find Profile"
_HAS_PROFILE: Final = "Profile Found"
_DAYS: Final = "Find Captured Days"
_LAST_DAYS: Final = "Find Days Of Last Month"
_ANY: Final = "Anything Captured"
_TRUTH: Final = "Find Truth"

_FOUND: Final = "$states.result.KeyCount > 0"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Where there is what is compared.

    Args:
        work: The bucket of records of versions that executions make, and of captured requests.
        captured: Where the endpoint keeps requests in it.
        raw: The bucket of records of versions that were promoted, and of what turned out to be true.
        promoted: Where those records are in it.
        truth: Where it stands in it what turned out to be true.
    """

    work: s3.IBucket
    captured: str
    raw: s3.IBucket
    promoted: str
    truth: str

    @property
    def records(self) -> tuple[tuple[s3.IBucket, str], ...]:
        """Where records may be: a bucket, and a prefix in it."""
        return (self.work, EXECUTIONS_PREFIX), (self.raw, self.promoted)

    def has_record(self) -> str:
        """Whether `$record` is where a record may be, in JSONata."""
        places = (f"'s3://{bucket.bucket_name}/{prefix}'" for bucket, prefix in self.records)
        return " or ".join(f"{place} & $substringAfter($record, {place}) = $record" for place in places)

    def find_profile(self) -> Task:
        """Whether the record of the version that serves has a profile."""
        place = "$substringAfter($record, 's3://')"
        asked = {
            "Bucket": jsonata(f"$substringBefore({place}, '/')"),
            "Prefix": jsonata(f"$substringAfter({place}, '/') & '{PROFILE_FILE}'"),
        }
        below = [(bucket, f"{prefix}*") for bucket, prefix in self.records]
        found = {"has_profile": jsonata(_FOUND)}
        return _list(_PROFILE, asked, below=below, assign=found, next_state=_HAS_PROFILE)

    def find_days(self, name: str, *, month_of: str, known: str, next_state: str) -> Task:
        """The days of a month on which requests were captured that may count, beside those known already."""
        month, day = (
            f"'{self.captured}' & $fromMillis($toMillis({{}}), '[Y0001]/[M01]/{ending}')" for ending in ("", "[D01]/")
        )
        listed = (
            f"( $first := {day.format('$since')}; $last := {day.format('$until')}; "
            "$states.result.CommonPrefixes.Prefix[$ >= $first and $ <= $last] )"
        )
        return _list(
            name,
            {"Bucket": self.work.bucket_name, "Prefix": jsonata(month.format(month_of)), "Delimiter": "/"},
            below=[(self.work, f"{self.captured}*")],
            assign={"days": jsonata(f"[$distinct($append({known}, {listed}))]")},
            next_state=next_state,
        )

    def find_truth(self, next_state: str) -> Task:
        """Whether anything is known of what turned out to be true."""
        found = {"has_truth": jsonata(_FOUND)}
        asked = {"Bucket": self.raw.bucket_name, "Prefix": self.truth}
        return _list(_TRUTH, asked, below=[(self.raw, self.truth)], assign=found, next_state=next_state)


def find_captured(evidence: Evidence, *, otherwise: str) -> Step:
    """`$days` are where requests of the window are, and `$has_truth` whether anything is known of the truth.

    Args:
        evidence: Where there is what is compared.
        otherwise: Where to go on, with what is to be said in `$found`, when there is nothing to compare.
    """
    nothing = _say(NOT_COMPARED, "'nothing is known of what serves: ' & $not_compared")
    unrecorded = _say(
        NOT_COMPARED,
        f"'the record of ' & $parent & ' has no {PROFILE_FILE}: it was made before records had one, or from an "
        "archive. The next version that an execution makes has one'",
    )
    quiet = _say(Verdict.TOO_FEW, "'no request was captured between ' & $since & ' and ' & $until")

    def states(after: str) -> Mapping[str, State]:
        return {
            _SERVES: Choice(
                rules=(
                    Rule(condition="$parent = ''", next=otherwise, assign=nothing),
                    Rule(condition=f"$not({evidence.has_record()})", next=otherwise, assign=unrecorded),
                ),
                default=_PROFILE,
            ),
            _PROFILE: evidence.find_profile(),
            _HAS_PROFILE: Choice(
                rules=(Rule(condition="$not($has_profile)", next=otherwise, assign=unrecorded),), default=_DAYS
            ),
            _DAYS: evidence.find_days(_DAYS, month_of="$since", known="[]", next_state=_LAST_DAYS),
            _LAST_DAYS: evidence.find_days(_LAST_DAYS, month_of="$until", known="$days", next_state=_ANY),
            _ANY: Choice(rules=(Rule(condition="$count($days) = 0", next=otherwise, assign=quiet),), default=_TRUTH),
            _TRUTH: evidence.find_truth(after),
        }

    return states


def _say(verdict: str, reason: str) -> dict[str, Any]:
    """What is found where no job compares anything; the reason is JSONata."""
    return {
        "found": {
            Finding.VERDICT: verdict,
            Finding.REASON: jsonata(reason),
            Finding.COUNT: 0,
            Finding.COLUMNS: [],
            Finding.ROWS: 0,
        }
    }


def _list(
    name: str,
    asked: Mapping[str, Any],
    *,
    below: Sequence[tuple[s3.IBucket, str]],
    assign: Mapping[str, Any],
    next_state: str,
) -> Task:
    """List objects of a bucket, which its role may do below these prefixes."""
    statements = [
        iam.PolicyStatement(
            actions=["s3:ListBucket"],
            resources=[bucket.bucket_arn],
            conditions=in_this_account({"StringLike": {"s3:prefix": prefix}}),
        )
        for bucket, prefix in below
    ]
    return Task(
        resource=f"arn:{Aws.PARTITION}:states:::aws-sdk:s3:listObjectsV2",
        arguments=asked,
        assign=assign,
        timeout_seconds=CALL_SECONDS,
        next=next_state,
        retry=(retry_busy("S3"),),
        catch=(keep_failure(name),),
        permissions=tuple(Permission(statement=statement) for statement in statements),
    )
