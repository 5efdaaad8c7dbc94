"""Logs of endpoints that are gone, and what endpoints were called."""

from collections.abc import Collection, Iterator
from typing import Any, Final

from headrace.absence import forgiving_absence
from headrace.contract import VersionFact
from headrace.inventory.items import Item, Maker

LOG_GROUP: Final = "AWS::Logs::LogGroup"
ENDPOINT_LOGS: Final = "/aws/sagemaker/Endpoints/"
STACK_TAG: Final = "aws:cloudformation:stack-name"


def list_lost_logs(session: Any, taken: Collection[str]) -> Iterator[Item]:
    """The logs of endpoints that do not stand any more; nothing says whose they were.

    Args:
        session: boto3's, which leads to the account and the Region; nothing but reading is asked of it.
        taken: The names of log groups that are known to be somebody's.
    """
    pages = session.client("sagemaker").get_paginator("list_endpoints").paginate()
    standing = {f"{ENDPOINT_LOGS}{endpoint['EndpointName']}" for page in pages for endpoint in page["Endpoints"]}
    logs = session.client("logs")
    for page in logs.get_paginator("describe_log_groups").paginate(logGroupNamePrefix=ENDPOINT_LOGS):
        for group in page["logGroups"]:
            name = group["logGroupName"]
            if name not in standing and name not in taken and not is_of_stack(logs, name):
                yield Item(kind=LOG_GROUP, name=name, maker=Maker.RUN, properties=group)


def is_of_stack(logs: Any, name: str) -> bool:
    """Whether a stack owns a log group."""
    return STACK_TAG in logs.list_tags_log_group(logGroupName=name)["tags"]


def name_endpoints_of_versions(session: Any, groups: Collection[str]) -> set[str]:
    """The endpoints that the versions in some model package groups were made for."""
    sagemaker = session.client("sagemaker")
    names: set[str] = set()
    for group in groups:
        for page in sagemaker.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group):
            for version in page["ModelPackageSummaryList"]:
                # What is deleted meanwhile names none.
                with forgiving_absence():
                    described = sagemaker.describe_model_package(ModelPackageName=version["ModelPackageArn"])
                    names.add(described.get("CustomerMetadataProperties", {}).get(VersionFact.ENDPOINT, ""))
    return names - {""}
