"""The CDK app: settings, stacks, tags."""

import sys

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from stacks.constructs.training_pipeline import PipelineResources
from stacks.pipeline_stack import PipelineStack
from stacks.registry_stack import RegistryStack
from stacks.settings import Settings, SettingsError
from stacks.storage_stack import StorageStack


def build(app: cdk.App) -> cdk.App:
    """Add the stacks of the environment that the context chooses."""
    settings = Settings.from_context(app.node)

    storage = StorageStack(
        app,
        "Storage",
        settings=settings.storage,
        retain_data=settings.retain_data,
        stack_name=settings.stack_name("Storage"),
    )
    registry = RegistryStack(
        app,
        "Registry",
        settings=settings.registry,
        retain_data=settings.retain_data,
        stack_name=settings.stack_name("Registry"),
    )
    PipelineStack(
        app,
        "Pipeline",
        resources=PipelineResources(raw=storage.raw, work=storage.work, repositories=registry.repositories),
        settings=settings,
        stack_name=settings.stack_name("Pipeline"),
    )

    for key, value in settings.tags.items():
        cdk.Tags.of(app).add(key, value)
    return app


if __name__ == "__main__":
    try:
        app = build(cdk.App())
    except SettingsError as error:
        sys.exit(str(error))
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()
