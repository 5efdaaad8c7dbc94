"""What stands of an environment in an account, with how much is in it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from botocore.exceptions import ClientError

from headrace.inventory import Item, read_stacks
from headrace.inventory.jobs import JOB_KINDS
from headrace.inventory.run_time import read_run_time

_GB: Final = 2**30
# S3 asks for a request per 1,000 objects; of larger buckets, CloudWatch's daily figure would be needed.
_MOST_PAGES: Final = 100
_WATCHED_BYTES: Final = 128 * 1024
_JOB_TYPES: Final = frozenset(kind.type for kind in JOB_KINDS)
_NOTEBOOK: Final = "AWS::SageMaker::NotebookInstance"


def read_living(session: Any, environment: str) -> list[Item]:
    """What an environment has while nothing runs, with what is in it as far as one may look; jobs end by themselves.

    Args:
        session: boto3's, which leads to the account and the Region; nothing but reading is asked of it.
        environment: Which environment.
    """
    stacks = read_stacks(session, environment)
    found = (*stacks, *read_run_time(session, environment, stacks))
    return measure_all(session, filter(is_lasting, found))


def is_lasting(item: Item) -> bool:
    """Whether a thing stands until it is deleted, and is no job, which ends by itself."""
    return item.kind not in _JOB_TYPES


def measure_all(session: Any, items: Iterable[Item]) -> list[Item]:
    """Things with how much is in them, as far as one may look."""
    return [_look_at(session, item) for item in items]


def _look_at(session: Any, item: Item) -> Item:
    """An item with how much is in it, or whether it runs."""
    try:
        if item.kind == _NOTEBOOK:
            return replace(item, properties={**item.properties, **_describe_notebook(session, item.name)})
        if measure := _MEASURES.get(item.kind):
            return replace(item, amounts=measure(session, item.name))
    except ClientError:
        # It is gone, or one may not look: then that is not known of it alone.
        pass
    return item


def _describe_notebook(session: Any, name: str) -> Mapping[str, Any]:
    # CloudFormation calls it by its ARN.
    found = session.client("sagemaker").describe_notebook_instance(NotebookInstanceName=name.rpartition("/")[2])
    return {
        "Status": found["NotebookInstanceStatus"],
        **{key: found[key] for key in ("InstanceType", "VolumeSizeInGB") if key in found},
    }


def _measure_bucket(session: Any, name: str) -> Mapping[str, float]:
    sizes = list(_list_sizes(session.client("s3"), name))
    watched = sum(size >= _WATCHED_BYTES for size in sizes)
    return {"gb": sum(sizes) / _GB, "objects": len(sizes), "watched_objects": watched}


def _list_sizes(s3: Any, bucket: str) -> Iterator[int]:
    pages = s3.get_paginator("list_object_versions").paginate(Bucket=bucket)
    for _, page in zip(range(_MOST_PAGES), pages, strict=False):
        yield from (version["Size"] for version in page.get("Versions", []))


def _measure_repository(session: Any, name: str) -> Mapping[str, float]:
    pages = session.client("ecr").get_paginator("describe_images").paginate(repositoryName=name)
    return {"gb": sum(image.get("imageSizeInBytes", 0) for page in pages for image in page["imageDetails"]) / _GB}


def _measure_log_group(session: Any, name: str) -> Mapping[str, float]:
    groups = session.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return {"gb": sum(group.get("storedBytes", 0) for group in groups if group["logGroupName"] == name) / _GB}


def _measure_efs(session: Any, name: str) -> Mapping[str, float]:
    (found,) = session.client("efs").describe_file_systems(FileSystemId=name)["FileSystems"]
    return {"gb": found["SizeInBytes"]["Value"] / _GB}


_MEASURES: Final = {
    "AWS::ECR::Repository": _measure_repository,
    "AWS::EFS::FileSystem": _measure_efs,
    "AWS::Logs::LogGroup": _measure_log_group,
    "AWS::S3::Bucket": _measure_bucket,
}
