"""The CDK app: settings, stacks, tags."""

from collections.abc import Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from headrace import contract
from headrace.recipes import list_recipes
from stacks.alarm_stack import AlarmStack, connect_alarms
from stacks.constructs.state_machine import StateMachine
from stacks.encryption_stack import EncryptionStack
from stacks.file_system_stack import FileSystemStack
from stacks.network_stack import NetworkStack
from stacks.normalizer_stack import NormalizerStack
from stacks.notebook_stack import NotebookStack
from stacks.object_lambda_stack import ObjectLambdaStack
from stacks.people_stack import PeopleStack
from stacks.program import run
from stacks.registry_stack import RegistryStack
from stacks.settings.bundle_target import BundleTarget
from stacks.settings.environment import Settings, read_bundle_target
from stacks.storage_stack import StorageStack
from stacks.workload_stack import Surroundings, WorkloadStack


def build(app: cdk.App) -> cdk.App:
    """Add the stacks of the environment that the context chooses."""
    settings = Settings.from_context(app.node)
    around = _add_shared_stacks(app, settings)
    machines = _add_workloads(app, settings, around)
    NotebookStack(
        app,
        "Notebook",
        settings=settings.notebook,
        storage=around.storage,
        network=around.network,
        efs=around.file_systems.efs,
        machines=machines,
        **_place(app, settings, "Notebook"),
    )
    place = _place(app, settings, "People")
    PeopleStack(app, "People", settings=settings, around=around, machines=machines, **place)
    _add_alarms(app, settings)
    _order_removals(app, settings, around)
    _add_object_lambda(app, settings, around.normalizer)
    _mark_everything(app, settings, around.storage)
    return app


def _place(app: cdk.App, settings: Settings, stack: str) -> dict[str, Any]:
    """What a stack is called, and in which Region it is; the local cloud stands for every Region."""
    is_local = read_bundle_target(app.node) is BundleTarget.HOST
    env = cdk.Environment(region=None if is_local else settings.region)
    return {"stack_name": settings.stack_name(stack), "env": env}


def _add_workloads(app: cdk.App, settings: Settings, around: Surroundings) -> list[StateMachine]:
    """Add the stacks of the workloads; their state machines."""
    return [
        WorkloadStack(
            app,
            recipe.stack_id,
            recipe=recipe,
            settings=settings,
            around=around,
            target=read_bundle_target(app.node),
            **_place(app, settings, recipe.stack_id),
        ).state_machine
        for recipe in list_recipes()
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
        retain_data=retain_data,
        **_place(app, settings, "Storage"),
    )
    registry = RegistryStack(
        app, "Registry", settings=settings.registry, retain_data=retain_data, **_place(app, settings, "Registry")
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


def _add_alarms(app: cdk.App, settings: Settings) -> None:
    AlarmStack(
        app,
        "Alarms",
        settings=settings.alarms,
        environment=settings.environment,
        **_place(app, settings, "Alarms"),
    )
    if settings.alarms:
        connect_alarms(app, settings.environment)


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
    has_file_systems = settings.file_systems.efs.enabled or settings.file_systems.fsx.enabled
    if not has_file_systems:
        _empty(around.file_systems, [*workloads, notebook])
    if not settings.normalizer.has_doors:
        _empty(around.normalizer, [*workloads, people])
    if not settings.encryption.customer_key:
        _empty(around.encryption, [stack for stack in stacks if stack is not around.encryption])
    if not settings.notebook.enabled:
        _empty(notebook, [])
    if not settings.people.enabled:
        _empty(people, [])
    if not settings.alarms:
        _empty(alarms, [*workloads, around.normalizer])


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
    for stack in _list_stacks(app):
        marks = {contract.ENVIRONMENT_METADATA: settings.environment}
        stack.template_options.metadata = {**(stack.template_options.metadata or {}), **marks}
        # The access points hold nothing, and CDK deletes what is left of a refused attempt before the next one.
        is_object_lambda = isinstance(stack, ObjectLambdaStack)
        stack.termination_protection = settings.retain_data and not is_object_lambda


if __name__ == "__main__":
    run(build)
