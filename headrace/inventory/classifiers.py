"""What executions have made in Comprehend: classifiers and their endpoints, found by their names and tags."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from botocore.exceptions import ClientError

from headrace import regions
from headrace.absence import is_absence
from headrace.documents.contract import name_classifier, name_endpoints
from headrace.inventory.items import Item, Maker

CLASSIFIER: Final = "AWS::Comprehend::DocumentClassifier"
CLASSIFIER_ENDPOINT: Final = "AWS::Comprehend::DocumentClassifierEndpoint"
_GOING: Final = "DELETING"
_LISTS: Final = (
    (CLASSIFIER_ENDPOINT, "list_endpoints", "EndpointPropertiesList", "EndpointArn"),
    (CLASSIFIER, "list_document_classifiers", "DocumentClassifierPropertiesList", "DocumentClassifierArn"),
)

Tags = Sequence[Mapping[str, str]]


def read_classifiers(session: Any, environment: str, is_ours: Callable[[Tags], bool]) -> Iterator[Item]:
    """The classifiers and endpoints of an environment that are not being deleted; none where Comprehend is not.

    Args:
        session: boto3's; nothing but reading is asked of it.
        environment: Which environment.
        is_ours: Whether tags say that something is the environment's.
    """
    comprehend = session.client("comprehend")
    region = comprehend.meta.region_name
    if region in regions.list_regions() and regions.lacks_service(region, regions.COMPREHEND):
        return
    names = {CLASSIFIER: f"{name_classifier(environment)}/", CLASSIFIER_ENDPOINT: name_endpoints(environment)}
    for kind, operation, member, key in _LISTS:
        for page in comprehend.get_paginator(operation).paginate():
            for found in page.get(member, ()):
                named = found[key].partition("/")[2].startswith(names[kind])
                if named and found.get("Status") != _GOING and is_ours(_read_tags(comprehend, found[key])):
                    yield Item(kind=kind, name=found[key], maker=Maker.RUN, properties=found)


def _read_tags(comprehend: Any, arn: str) -> Tags:
    try:
        tags: Tags = comprehend.list_tags_for_resource(ResourceArn=arn)["Tags"]
    except ClientError as error:
        # What is deleted meanwhile has none.
        if is_absence(error):
            return ()
        raise
    return tags
