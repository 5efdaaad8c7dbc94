"""What the settings ask for and their Region does not offer, and what to set instead."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator

from headrace import regions
from stacks.settings.alarms import AlarmSettings, BudgetSettings
from stacks.settings.existing import ExistingResource
from stacks.settings.file_systems import FileSystemSettings
from stacks.settings.front_door import FrontDoorSettings, read_pool_region
from stacks.settings.network import NetworkSettings
from stacks.settings.normalizer import NormalizerSettings
from stacks.settings.notebook import NotebookSettings
from stacks.settings.section import Allowed, Section
from stacks.settings.storage import EncryptionSettings, RegistrySettings


def _check_region(region: str) -> str:
    if region not in regions.list_regions():
        raise ValueError(f"not a known Region; known are {', '.join(regions.list_regions())}")
    return region


Region = Annotated[str, AfterValidator(_check_region), Allowed("a Region such as eu-central-1, or null")]


def list_not_offered(region: str, settings: Section) -> Iterator[str]:
    """What the settings of an environment ask for and a Region does not offer, each with what to set instead."""
    if regions.lacks_type(region, regions.MODEL_PACKAGE_GROUP):
        yield (
            f"region: {region} has no model package groups of SageMaker in CloudFormation, and every workload keeps "
            f"its models in one; choose another Region, none of {', '.join(_list_without_registry())}"
        )
    for name, section in settings:
        if isinstance(section, Section):
            yield from (f"{name}.{missing}" for missing in _list_of_section(region, section))


def _list_without_registry() -> Iterator[str]:
    return (name for name in regions.list_regions() if regions.lacks_type(name, regions.MODEL_PACKAGE_GROUP))


def _list_of_section(region: str, section: Section) -> Iterator[str]:
    match section:
        case AlarmSettings(budget=BudgetSettings()):
            yield from _list_of_budget(region)
        case FrontDoorSettings():
            yield from _list_of_front_door(region, section)
        case NormalizerSettings():
            yield from _list_of_normalizer(region, section)
        case FileSystemSettings():
            yield from _list_of_file_systems(region, section)
        case NetworkSettings():
            yield from _list_of_network(region, section)
        case EncryptionSettings() | RegistrySettings():
            yield from _list_of_existing(region, section)
        case NotebookSettings():
            yield from _list_of_notebook(region, section)
            return
    yield from _list_instance_types(region, section)


def _list_of_existing(region: str, section: Section) -> Iterator[str]:
    match section:
        case EncryptionSettings(existing_key=str(arn)) if (found := ExistingResource.of_key(arn).region) != region:
            yield f"existing_key: the key is in {found}; name one in {region}"
        case RegistrySettings(existing=str(address)) if (
            found := ExistingResource.of_registry(address).region
        ) != region:
            yield f"existing: the registry is in {found}, and SageMaker takes container images from {region} only"


def _list_of_front_door(region: str, settings: FrontDoorSettings) -> Iterator[str]:
    if settings.authorization == "cognito" and regions.lacks_type(region, regions.USER_POOL):
        yield f"authorization: {region} has no user pools of Cognito; set it to iam"
    if settings.cloudfront and regions.lacks_type(region, regions.DISTRIBUTION):
        yield f"cloudfront: {region} has no CloudFront; set it to null"
    if settings.user_pool and read_pool_region(settings.user_pool) != region:
        yield f"user_pool: it is in {read_pool_region(settings.user_pool)}; name one in {region}"


def _list_of_budget(region: str) -> Iterator[str]:
    if regions.lacks_type(region, regions.BUDGET):
        yield f"budget: CloudFormation makes no budgets in {region}; set it to null"


def _list_of_notebook(region: str, settings: NotebookSettings) -> Iterator[str]:
    if not settings.enabled:
        return
    if regions.lacks_type(region, regions.NOTEBOOK):
        yield f"enabled: {region} has no SageMaker notebook instances; set it to false"
    yield from _list_instance_types(region, settings)


def _list_of_normalizer(region: str, settings: NormalizerSettings) -> Iterator[str]:
    if settings.function_url and regions.lacks_type(region, regions.FUNCTION_URL):
        yield (
            f"function_url: {region} has no Lambda function URLs; set it to false, and images.training.normalized to "
            "null: normalizer.bulk makes sets of normalized images, which channels with the source 'sets' read"
        )
    if settings.object_lambda and regions.lacks_type(region, regions.OBJECT_LAMBDA):
        yield f"object_lambda: {region} has no S3 Object Lambda; set it to false"


def _list_of_file_systems(region: str, settings: FileSystemSettings) -> Iterator[str]:
    if not settings.fsx.enabled:
        return
    if regions.lacks_type(region, regions.FSX_FILE_SYSTEM):
        yield f"fsx.enabled: {region} has no FSx; set it to false, and let channels come from s3 or efs"
    elif regions.lacks_lustre(region):
        yield (
            f"fsx.deployment: {region} has neither PERSISTENT_2 nor SCRATCH_2; set fsx.enabled to false, and let "
            "channels come from s3 or efs"
        )


def _list_of_network(region: str, settings: NetworkSettings) -> Iterator[str]:
    for zone in settings.zone_names:
        if zone[:-1] != region:
            yield f"availability_zones: {zone} is not a zone of {region}"


def _list_instance_types(region: str, section: Section) -> Iterator[str]:
    for name, value in section:
        if isinstance(value, Section):
            yield from (f"{name}.{missing}" for missing in _list_instance_types(region, value))
        elif name == "instance_type" and regions.lacks_instance_type(region, value):
            yield f"{name}: {value} is not offered in {region}; choose a type of another family"
