"""What an environment's settings ask for and cannot have together."""

from collections.abc import Iterator

from headrace.normalizer.contract import DEFAULT_TRANSFORMATION, pascal_name
from stacks.settings.channels import list_channel_mistakes
from stacks.settings.engines import list_engine_mistakes, list_reported
from stacks.settings.existing import ExistingResource
from stacks.settings.limits import list_unreachable
from stacks.settings.network import SAGEMAKER_API_ENDPOINT
from stacks.settings.normalizer import ConsumerSettings, check_access_point_name
from stacks.settings.region import list_not_offered
from stacks.settings.sections import Sections
from stacks.settings.workloads import ChannelTrainingSettings


def list_contradictions(settings: Sections) -> Iterator[str]:
    """Each contradiction, beginning with its key, and what to set instead."""
    if settings.region:
        yield from list_not_offered(settings.region, settings)
    yield from list_channel_mistakes(settings.file_systems, list(settings.list_channel_trainings()))
    yield from _list_of_normalized(settings)
    yield from _list_of_object_lambda_names(settings)
    yield from _list_of_notebook(settings)
    yield from _list_of_existing(settings)
    yield from _list_of_gates(settings)
    yield from _list_of_workloads(settings)
    yield from _list_of_endpoint_names(settings)
    yield from _list_of_front_door(settings)


def _list_of_normalized(settings: Sections) -> Iterator[str]:
    has_way_out = settings.network.nat_gateways > 0 or settings.network.existing is not None
    consumers = {consumer.name: consumer for consumer in settings.normalizer.consumers}
    for name, training in settings.list_channel_trainings():
        normalized = training.normalized if isinstance(training, ChannelTrainingSettings) else None
        if not normalized:
            continue
        if not getattr(settings.normalizer, normalized.through):
            yield (
                f"{name}.training.normalized.through: normalizer.{normalized.through} is off; turn it on, read "
                "through the other door, or set normalized to null and add the channels 'train' and 'validation'"
            )
        if normalized.consumer not in consumers:
            yield (
                f"{name}.training.normalized.consumer: found '{normalized.consumer}', "
                f"but normalizer.consumers has {', '.join(consumers) or 'no entries'}"
            )
        elif consumers[normalized.consumer].transformation != DEFAULT_TRANSFORMATION:
            yield (
                f"{name}.training.normalized.consumer: '{normalized.consumer}' reads "
                f"'{consumers[normalized.consumer].transformation}', and the job photographs; name a consumer whose "
                f"transformation is '{DEFAULT_TRANSFORMATION}'"
            )
        # A function URL is on the internet only: https://docs.aws.amazon.com/lambda/latest/dg/lambda-urls.html.
        mounted = [channel.name for channel in training.channels if channel.is_mounted]
        if mounted and not has_way_out:
            yield (
                f"{name}.training.normalized: channel '{mounted[0]}' of a file system puts the job into the VPC, "
                "whose isolated subnets lead to no door of the normalizer; let the list come from s3, add a NAT "
                "gateway with network.nat_gateways, or set normalized to null and add the channels 'train' and "
                "'validation'"
            )


def _list_of_object_lambda_names(settings: Sections) -> Iterator[str]:
    taken: dict[str, ConsumerSettings] = {}
    for consumer in settings.normalizer.consumers if settings.normalizer.object_lambda else ():
        name = settings.object_lambda_name(consumer)
        try:
            check_access_point_name(name)
        except ValueError as error:
            yield f"normalizer.consumers: {error}; give it an object_lambda_name"
        # Hyphens do not count in the names that CloudFormation knows resources by.
        other = taken.setdefault(pascal_name(name), consumer)
        if other is not consumer:
            yield (
                f"normalizer.consumers: consumers {other.name} and {consumer.name}: the Object Lambda access "
                f"points '{settings.object_lambda_name(other)}' and '{name}' are the same apart from hyphens; give one "
                "of them another object_lambda_name"
            )


def _list_of_notebook(settings: Sections) -> Iterator[str]:
    reaches_sagemaker = (
        settings.notebook.direct_internet
        or settings.network.nat_gateways > 0
        or SAGEMAKER_API_ENDPOINT in settings.network.interface_endpoints
        or settings.network.existing is not None
    )
    if settings.notebook.enabled and not reaches_sagemaker:
        yield (
            "notebook: without direct_internet it cannot reach SageMaker, not even to stop itself when idle; "
            f"add '{SAGEMAKER_API_ENDPOINT}' to network.interface_endpoints, or a NAT gateway"
        )


def _list_of_existing(settings: Sections) -> Iterator[str]:
    encryption, work_bucket = settings.encryption, settings.storage.existing_work_bucket
    if encryption.existing_key and settings.registry.existing:
        key = ExistingResource.of_key(encryption.existing_key)
        registry = ExistingResource.of_registry(settings.registry.existing)
        if key.region != registry.region:
            yield (
                f"encryption.existing_key is in {key.region}, registry.existing in {registry.region}; SageMaker takes "
                "both from its own Region only"
            )
    if encryption.customer_key and work_bucket:
        yield (
            f"storage.existing_work_bucket: '{work_bucket}' stays when the environment goes, and what jobs leave there "
            "could no longer be read without the key that encryption.customer_key makes; name a key that stays as "
            "encryption.existing_key, or set customer_key to false"
        )


def _list_of_gates(settings: Sections) -> Iterator[str]:
    for recipe in settings.recipes:
        reported = list_reported(recipe, settings.workload(recipe))
        for index, rule in enumerate(settings.workload(recipe).gate.rules):
            for key, metric in rule.list_metrics():
                if metric not in reported:
                    yield (
                        f"{recipe}.gate.rules.{index}.{key}: found '{metric}', "
                        f"but the training job reports {', '.join(reported)}"
                    )


def _list_of_workloads(settings: Sections) -> Iterator[str]:
    """What a workload's own sections contradict, or what stands beside them."""
    has_key = settings.encryption.customer_key or settings.encryption.existing_key
    raw_bucket = settings.storage.existing_raw_bucket
    for recipe in settings.recipes:
        workload = settings.workload(recipe)
        yield from (f"{recipe}.{mistake}" for mistake in workload.list_batch_mistakes())
        yield from (f"{recipe}.{mistake}" for mistake in list_engine_mistakes(recipe, workload, settings.region))
        unreachable = list_unreachable(workload, settings.file_systems, settings.pipeline.timeout_hours)
        yield from (f"{recipe}.{mistake}" for mistake in unreachable)
        if settings.people.separate_approval and workload.approval.mode == "auto":
            yield (
                f"{recipe}.approval.mode: auto lets people serve what they have started, and "
                "people.separate_approval promises another approver; set it to human, or separate_approval to false"
            )
        if workload.endpoint.serverless and has_key:
            yield (
                f"{recipe}.endpoint.serverless: a serverless endpoint has no volumes that the key of encryption "
                "could encrypt, and the environment promises that it does; leave serverless out, or the key"
            )
        if workload.start.on_new_data and raw_bucket:
            yield (
                f"{recipe}.start.on_new_data: the bucket '{raw_bucket}' of storage.existing_raw_bucket is not changed "
                f"from here, and says nothing of new objects; set {recipe}.start.schedule instead"
            )


def _list_of_endpoint_names(settings: Sections) -> Iterator[str]:
    taken: set[str] = set()
    for recipe in settings.recipes:
        name = settings.endpoint_name(recipe)
        # SageMaker ignores case in the names of endpoints.
        if name.lower() in taken:
            yield f"{recipe}.endpoint.name: '{name}' is another workload's endpoint already"
        taken.add(name.lower())


def _list_of_front_door(settings: Sections) -> Iterator[str]:
    if front_door := settings.front_door:
        batches = [recipe.name for recipe in settings.recipes if settings.workload(recipe).is_batch]
        yield from (f"front_door.{mistake}" for mistake in front_door.list_batches(batches))
        there = {recipe.name for recipe in settings.recipes}
        for name in front_door.workloads:
            if name not in there:
                yield f"front_door.workloads: {name} is off; leave {name} out, or give the environment a section {name}"
