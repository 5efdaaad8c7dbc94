"""Stand-ins for what the settings name as somebody else's: a new local cloud has none of it."""

from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import boto3

from headrace.assemblies import read_folder
from headrace.grants import Account, list_grants
from headrace.local.engine.cloud import ACCOUNT, REGION

_REPOSITORY: Final = "repository/"


def make_stand_ins(assembly: Path) -> None:
    """Make the existing buckets and repositories that an app uses and the account lacks: empty, and without a policy.

    Repositories of another account or Region are made here as well, for what is pushed to them to be listed.

    Args:
        assembly: The synthesized app.
    """
    existing = list_grants(read_folder(assembly), Account(ACCOUNT, REGION))
    if not existing:
        return
    s3: Any = boto3.client("s3")
    ecr: Any = boto3.client("ecr")
    for arn in existing:
        _, _, service, _, _, name = arn.split(":", 5)
        if service == "s3":
            # One's own bucket can be created again.
            s3.create_bucket(Bucket=name)
        elif service == "ecr":
            with suppress(ecr.exceptions.RepositoryAlreadyExistsException):
                ecr.create_repository(repositoryName=name.removeprefix(_REPOSITORY))
