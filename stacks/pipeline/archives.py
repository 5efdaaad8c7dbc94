"""Whether the archive of a version is still the one that the version was made of.

SageMaker takes what lies at the archive's address when an endpoint is made, whatever that is by then. So a version
notes what S3 says of the archive, and no model is made of one that has changed since
(docs/decisions/0059-a-version-knows-its-archive.md).
"""

from typing import Final

from aws_cdk import Aws
from aws_cdk import aws_iam as iam

from stacks.nag import wildcard_objects
from stacks.ownership import in_this_account
from stacks.pipeline.asl import CALL_SECONDS, Catch, Task, jsonata, retry_busy
from stacks.pipeline.failure import CAUSE, FAILED, Reason, assign_failure
from stacks.pipeline.permission import Permission
from stacks.pipeline.registry import ModelRegistry

_ANY_EXECUTION: Final = (
    "Archives are named after executions and jobs, or by people; the prefix limits what is looked at."
)
# In a bucket without versions, an object has the ID null or none. `headrace.pipeline.archives` writes the same.
_STAMP: Final = (
    "( $id := $exists($states.result.VersionId) ? $states.result.VersionId : ''; "
    "$stamp := $replace($states.result.ETag, '\"', '') & ($id in ['', 'null'] ? '' : ' ' & $id); "
    "$substring($replace($stamp, /[^A-Za-z0-9 _.:\\/=+@-]/, '_'), 0, 256) )"
)


def look_at_archive(name: str, registry: ModelRegistry, *, next_state: str) -> Task:
    """Keep which archive lies at `$model_data` in `$found_archive`: S3's ETag of it, and its version's ID."""
    place = "$substringAfter($model_data, 's3://')"
    return Task(
        resource=f"arn:{Aws.PARTITION}:states:::aws-sdk:s3:headObject",
        arguments={
            "Bucket": jsonata(f"$substringBefore({place}, '/')"),
            "Key": jsonata(f"$substringAfter({place}, '/')"),
        },
        assign={"found_archive": jsonata(_STAMP)},
        timeout_seconds=CALL_SECONDS,
        next=next_state,
        retry=(retry_busy("S3"),),
        catch=(_catch_missing(name),),
        permissions=(_allow_looking(registry),),
    )


def _catch_missing(name: str) -> Catch:
    """Say so of an archive that is not there.

    S3 answers 403 then, as to whatever may not be read: only who may list the whole bucket gets its 404. To be allowed
    to list one prefix is not enough, because a request for an object does not have the prefix that is asked for.
    """
    missing = f"$match({CAUSE}, /Status Code: 40[34]/, 1)"
    assign = assign_failure(
        jsonata(f"$exists({missing}) ? 'ArchiveMissing' : '{name.replace(' ', '')}Failed'"),
        f"$exists({missing}) ? 'the archive ' & $model_data & ($package = '' ? '' : ' of version ' & $package) & ' was "
        f"deleted, or the state machine may not read it; S3 says the same of both: ' & {CAUSE} & '. Delete its delete "
        f"marker, if it has one, or serve another version' : '{name}: ' & {CAUSE}",
    )
    return Catch(errors=("States.ALL",), assign=assign, next=FAILED)


def find_changed_archive() -> Reason:
    """That it is not what the version notes in `$archive`; early versions note nothing."""
    return Reason(
        "$not($archive in ['', $found_archive])",
        "ArchiveChanged",
        "'the archive of version ' & $package & ', ' & $model_data & ', has changed since the version was made: S3 "
        "called it ' & $archive & ', and calls it ' & $found_archive & ' now. Delete what was written over it, or make "
        "another version of it, which somebody approves'",
    )


def _allow_looking(registry: ModelRegistry) -> Permission:
    return Permission(
        statement=iam.PolicyStatement(
            actions=["s3:GetObject"],
            resources=[bucket.arn_for_objects(f"{prefix}*") for bucket, prefix in registry.archives],
            conditions=in_this_account(),
        ),
        findings={wildcard_objects(bucket, f"{prefix}*"): _ANY_EXECUTION for bucket, prefix in registry.archives},
    )
