"""The CDK app: settings, stacks, tags."""

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_iam as iam

from headrace import contract
from headrace.cost.scenarios import SCENARIOS_METADATA
from headrace.recipes import list_recipes
from stacks.alarm_stack import AlarmStack, connect_alarms
from stacks.constructs.dashboard import Shown
from stacks.constructs.state_machine import StateMachine
from stacks.documents_stack import DocumentsStack
from stacks.encryption_stack import EncryptionStack
from stacks.file_system_stack import FileSystemStack
from stacks.front_door_stack import FrontDoorStack
from stacks.network_stack import NetworkStack
from stacks.normalizer_stack import NormalizerStack
from stacks.notebook_stack import NotebookStack
from stacks.object_lambda_stack import ObjectLambdaStack
from stacks.people_stack import PeopleStack
from stacks.program import run
from stacks.registry_stack import RegistryStack
from stacks.settings.bundle_target import BundleTarget
from stacks.settings.engines import list_reported
from stacks.settings.environment import Settings, read_bundle_target
from stacks.storage_stack import StorageStack
from stacks.workload_stack import Surroundings, WorkloadStack


def build(app: cdk.App) -> cdk.App:
    """Add the stacks of the environment that the context chooses."""
    settings = Settings.from_context(app.node)
    around = _add_shared_stacks(app, settings)
    workloads = _add_workloads(app, settings, around)
    machines = [workload.state_machine for workload in workloads]
    NotebookStack(
        app,
        "Notebook",
        settings=settings.notebook,
        storage=around.storage,
        network=around.network,
        efs=around.file_systems.efs,
        recipes=settings.recipes,
        machines=machines,
        **_place(app, settings, "Notebook"),
    )
    checks = [workload.drift_machine for workload in workloads if workload.drift_machine]
    front_door = FrontDoorStack(
        app, "FrontDoor", settings=settings, key=around.storage.key, **_place(app, settings, "FrontDoor")
    )
    documents = DocumentsStack(
        app,
        "Documents",
        settings=settings,
        storage=around.storage,
        target=read_bundle_target(app.node),
        **_place(app, settings, "Documents"),
    )
    PeopleStack(
        app,
        "People",
        settings=settings,
        around=around,
        machines=machines,
        checks=[*checks, *documents.machines],
        invocable=front_door.invocable,
        **_place(app, settings, "People"),
    )
    _add_alarms(app, settings, around, machines)
    _order_removals(app, settings, around)
    _add_object_lambda(app, settings, around.normalizer)
    _mark_everything(app, settings, around.storage)
    return app


def _place(app: cdk.App, settings: Settings, stack: str) -> dict[str, Any]:
    """What a stack is called, and in which Region it is; the local cloud stands for every Region."""
    is_local = read_bundle_target(app.node) is BundleTarget.HOST
    env = cdk.Environment(region=None if is_local else settings.region)
    return {"stack_name": settings.stack_name(stack), "env": env}


def _add_workloads(app: cdk.App, settings: Settings, around: Surroundings) -> list[WorkloadStack]:
    """Add the stacks of the workloads, and answer those that there are."""
    for recipe in list_recipes():
        if recipe not in settings.recipes:
            cdk.Stack(app, recipe.stack_id, **_place(app, settings, recipe.stack_id))
    return [
        WorkloadStack(
            app,
            recipe.stack_id,
            recipe=recipe,
            settings=settings,
            around=around,
            target=read_bundle_target(app.node),
            **_place(app, settings, recipe.stack_id),
        )
        for recipe in settings.recipes
    ]


def _add_shared_stacks(app: cdk.App, settings: Settings) -> Surroundings:
    """Add what workloads share."""
    retain_data = settings.retain_data
    encryption = _add_encryption(app, settings)
    storage = StorageStack(
        app,
        "Storage",
        settings=settings.storage,
        key=encryption.key,
        announces_new_data=settings.starts_on_new_data,
        checkpoint_days=settings.checkpoint_days,
        captured_days=settings.captured_days,
        retain_data=retain_data,
        **_place(app, settings, "Storage"),
    )
    registry = RegistryStack(
        app,
        "Registry",
        containers=settings.container_images,
        settings=settings.registry,
        retain_data=retain_data,
        **_place(app, settings, "Registry"),
    )
    network = NetworkStack(
        app,
        "Network",
        settings=settings.network,
        storage=storage,
        **_place(app, settings, "Network"),
    )
    return Surroundings(
        encryption=encryption,
        storage=storage,
        registry=registry,
        network=network,
        file_systems=_add_file_systems(app, settings, storage, network),
        normalizer=_add_normalizer(app, settings, storage, registry, network),
    )


def _add_encryption(app: cdk.App, settings: Settings) -> EncryptionStack:
    return EncryptionStack(
        app,
        "Encryption",
        settings=settings.encryption,
        retain_data=settings.retain_data,
        has_efs=settings.file_systems.efs.enabled,
        has_fsx=settings.file_systems.fsx.enabled,
        **_place(app, settings, "Encryption"),
    )


def _add_file_systems(
    app: cdk.App, settings: Settings, storage: StorageStack, network: NetworkStack
) -> FileSystemStack:
    return FileSystemStack(
        app,
        "FileSystems",
        settings=settings.file_systems,
        network=network,
        raw=storage.raw,
        key=storage.key,
        retain_data=settings.retain_data,
        alarms=settings.alarms.file_systems if settings.alarms else None,
        **_place(app, settings, "FileSystems"),
    )


def _add_normalizer(
    app: cdk.App, settings: Settings, storage: StorageStack, registry: RegistryStack, network: NetworkStack
) -> NormalizerStack:
    return NormalizerStack(
        app,
        "Normalizer",
        settings=settings,
        storage=storage,
        registry=registry,
        network=network,
        target=read_bundle_target(app.node),
        **_place(app, settings, "Normalizer"),
    )


def _add_alarms(app: cdk.App, settings: Settings, around: Surroundings, machines: Sequence[StateMachine]) -> None:
    alarms = AlarmStack(
        app,
        "Alarms",
        settings=settings.alarms,
        environment=settings.environment,
        tags=settings.tags,
        work=around.storage.work,
        **_place(app, settings, "Alarms"),
    )
    if settings.alarms:
        connect_alarms(app, settings.environment)
    if settings.alarms and settings.alarms.dashboard:
        alarms.show(_list_shown(app, settings, around, machines), settings.environment)


def _list_shown(app: cdk.App, settings: Settings, around: Surroundings, machines: Sequence[StateMachine]) -> Shown:
    """What the dashboard shows, once everything else is there."""
    recipes, normalizer, file_systems = settings.recipes, around.normalizer, around.file_systems
    bulk = {"normalizer": normalizer.bulk_machine} if normalizer.bulk_machine else {}
    return Shown(
        alarms=[found for found in app.node.find_all() if isinstance(found, cloudwatch.CfnAlarm)],
        machines={**{recipe.name: machine for recipe, machine in zip(recipes, machines, strict=True)}, **bulk},
        endpoints={recipe.name: settings.endpoint_name(recipe) for recipe in recipes},
        api=contract.front_door_name(settings.environment) if settings.front_door else None,
        trained={recipe.name: tuple(list_reported(recipe, settings.workload(recipe))) for recipe in recipes},
        function=normalizer.function,
        efs_id=file_systems.efs.file_system_id if file_systems.efs else None,
        fsx_id=file_systems.fsx.file_system_id if file_systems.fsx else None,
    )


def _add_object_lambda(app: cdk.App, settings: Settings, normalizer: NormalizerStack) -> None:
    """Add what AWS may refuse the account, after everything else; switched off, it goes before what it stands on."""
    others = _list_stacks(app)
    last = ObjectLambdaStack(
        app,
        contract.OBJECT_LAMBDA_STACK,
        settings=settings,
        normalizer=normalizer,
        **_place(app, settings, contract.OBJECT_LAMBDA_STACK),
    )
    if settings.normalizer.object_lambda:
        for stack in others:
            last.add_stack_dependency(stack)
        return
    # Those who read through the function URL from now on need that first, and so come after the normalizer.
    users = [] if settings.normalizer.answers_requests else [s for s in others if isinstance(s, WorkloadStack)]
    _empty(last, users)
    normalizer.add_stack_dependency(last)


def _order_removals(app: cdk.App, settings: Settings, around: Surroundings) -> None:
    """Have what is switched off go after those who used it: `cdk deploy` deletes a stack without resources."""
    stacks = _list_stacks(app)
    workloads = [stack for stack in stacks if isinstance(stack, WorkloadStack)]
    notebook = next(stack for stack in stacks if isinstance(stack, NotebookStack))
    people = next(stack for stack in stacks if isinstance(stack, PeopleStack))
    alarms = next(stack for stack in stacks if isinstance(stack, AlarmStack))
    front_door = next(stack for stack in stacks if isinstance(stack, FrontDoorStack))
    documents = next(stack for stack in stacks if isinstance(stack, DocumentsStack))
    has_file_systems = settings.file_systems.efs.enabled or settings.file_systems.fsx.stands
    if not has_file_systems:
        _empty(around.file_systems, [*workloads, notebook])
    if not settings.normalizer.has_doors:
        _empty(around.normalizer, [*workloads, people])
    if not settings.encryption.customer_key:
        _empty(around.encryption, [stack for stack in stacks if stack is not around.encryption])
    _empty_unless(settings.notebook.enabled, notebook, [])
    _empty_unless(settings.people.enabled, people, [])
    _empty_unless(settings.front_door, front_door, [people])
    _empty_unless(settings.documents, documents, [people])
    _empty_unless(settings.alarms, alarms, [*workloads, around.normalizer, front_door, documents])
    _empty_switched_off(settings, stacks, [notebook, people, alarms, front_door])


def _empty_switched_off(settings: Settings, stacks: Sequence[cdk.Stack], users: Sequence[cdk.Stack]) -> None:
    """Have the stacks of workloads that the settings have no section for go after those who used them."""
    ids = {recipe.stack_id for recipe in list_recipes() if recipe not in settings.recipes}
    for stack in stacks:
        if stack.node.id in ids:
            _empty(stack, users)


def _empty_unless(section: object, unused: cdk.Stack, users: Sequence[cdk.Stack]) -> None:
    if not section:
        _empty(unused, users)


def _list_stacks(app: cdk.App) -> list[cdk.Stack]:
    return [stack for stack in app.node.children if isinstance(stack, cdk.Stack)]


def _empty(unused: cdk.Stack, users: Sequence[cdk.Stack]) -> None:
    for user in users:
        unused.add_stack_dependency(user)
    reason = "What the settings switch off has no resources; `cdk deploy` deletes such a stack, and makes none."
    cdk.Validations.of(unused).acknowledge(cdk.Acknowledgment(id="CloudFormation-Validate::F0001", reason=reason))


def _mark_everything(app: cdk.App, settings: Settings, storage: StorageStack) -> None:
    """Bound every role, tag every resource, and mark and protect every stack, as the settings say."""
    if settings.permissions_boundary:
        boundary = iam.ManagedPolicy.from_managed_policy_name(storage, "Boundary", settings.permissions_boundary)
        iam.PermissionsBoundary.of(app).apply(boundary)
    for tag, value in settings.tags.items():
        cdk.Tags.of(app).add(tag, value)
    if settings.cost.scenarios:
        storage.template_options.metadata = {SCENARIOS_METADATA: settings.cost.scenarios}
    for stack in _list_stacks(app):
        marks = {contract.ENVIRONMENT_METADATA: settings.environment}
        stack.template_options.metadata = {**(stack.template_options.metadata or {}), **marks}
        # The access points hold nothing, and CDK deletes what is left of a refused attempt before the next one.
        is_object_lambda = isinstance(stack, ObjectLambdaStack)
        stack.termination_protection = settings.retain_data and not is_object_lambda


if __name__ == "__main__":
    run(build)
