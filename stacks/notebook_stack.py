"""The notebook instance: where scientists work on the platform's data."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from aws_cdk import Fn, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from headrace import contract
from headrace.recipes import Recipe
from stacks.constructs.file_systems import PEOPLE_FOLDER, PEOPLE_USER, SharedFileSystem
from stacks.constructs.notebook_role import NotebookRole
from stacks.constructs.state_machine import StateMachine
from stacks.nag import acknowledge
from stacks.network_stack import NetworkStack
from stacks.settings.notebook import NotebookSettings
from stacks.storage_stack import StorageStack

PLATFORM = "notebook-al2023-v1"
ON_START = Path(__file__).parent / "notebook" / "on_start.sh"
MOUNT_EFS = Path(__file__).parent / "notebook" / "mount_efs.sh"
STOP_WHEN_IDLE = Path(__file__).parent / "notebook" / "stop_when_idle.py"


class NotebookStack(Stack):
    """By setting: a notebook instance that clones a Git repository, sees only our data, and stops when idle."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: NotebookSettings,
        storage: StorageStack,
        network: NetworkStack,
        efs: SharedFileSystem | None,
        recipes: Sequence[Recipe],
        machines: Sequence[StateMachine],
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._settings = settings
        self._recipes = recipes
        if settings.enabled:
            role = self._create_role(storage, machines)
            self._add_notebook(role, storage, network, efs)

    def _create_role(self, storage: StorageStack, machines: Sequence[StateMachine]) -> NotebookRole:
        role = NotebookRole(self, "Role", key=storage.key)
        role.allow_data(storage.raw, [workload.raw_prefix for workload in self._recipes])
        role.allow_data(storage.work, [contract.EXECUTIONS_PREFIX])
        role.allow_executions(machines)
        return role

    def _add_notebook(
        self, role: NotebookRole, storage: StorageStack, network: NetworkStack, efs: SharedFileSystem | None
    ) -> None:
        settings, subnet = self._settings, network.subnets[0]
        notebook = sagemaker.CfnNotebookInstance(
            self,
            "Instance",
            instance_type=settings.instance_type,
            role_arn=role.role_arn,
            platform_identifier=PLATFORM,
            volume_size_in_gb=settings.volume_gib,
            subnet_id=subnet.subnet_id,
            security_group_ids=[network.groups.notebook.security_group_id],
            direct_internet_access="Enabled" if settings.direct_internet else "Disabled",
            root_access="Disabled",
            kms_key_id=storage.key.key_arn if storage.key else None,
            default_code_repository=self._add_repository(role),
            lifecycle_config_name=self._add_lifecycle(efs.find_address(subnet) if efs else None),
            instance_metadata_service_configuration=(
                sagemaker.CfnNotebookInstance.InstanceMetadataServiceConfigurationProperty(
                    minimum_instance_metadata_service_version="2"
                )
            ),
        )
        role.allow_stopping(notebook)
        self._acknowledge(notebook, has_key=storage.key is not None)

    def _add_repository(self, role: iam.Role) -> str | None:
        """The repository to clone: by its address if public, through SageMaker's record of its secret if private."""
        secret = self._settings.repository_secret_arn
        if self._settings.repository_url is None or secret is None:
            return self._settings.repository_url
        role.add_to_policy(iam.PolicyStatement(actions=["secretsmanager:GetSecretValue"], resources=[secret]))
        repository = sagemaker.CfnCodeRepository(
            self,
            "Repository",
            git_config=sagemaker.CfnCodeRepository.GitConfigProperty(
                repository_url=self._settings.repository_url, secret_arn=secret
            ),
        )
        return repository.attr_code_repository_name

    def _add_lifecycle(self, efs_address: str | None) -> str:
        """What runs whenever the instance starts; its name."""
        # Taken apart into bytes and put together again on the instance: the program stays testable Python.
        program = base64.b64encode(STOP_WHEN_IDLE.read_bytes()).decode()
        script = ON_START.read_text().replace("@PROGRAM@", program)
        script = script.replace("@IDLE_MINUTES@", str(self._settings.idle_minutes))
        if efs_address:
            script += _mount_efs(efs_address)
        hook = sagemaker.CfnNotebookInstanceLifecycleConfig.NotebookInstanceLifecycleHookProperty(
            content=Fn.base64(script)
        )
        # Another id would replace it, for nothing.
        lifecycle = sagemaker.CfnNotebookInstanceLifecycleConfig(self, "StopWhenIdle", on_start=[hook])
        return lifecycle.attr_notebook_instance_lifecycle_config_name

    def _acknowledge(self, notebook: sagemaker.CfnNotebookInstance, *, has_key: bool) -> None:
        findings = {}
        if not has_key:
            findings["AwsSolutions-SM2"] = (
                "Without encryption.customer_key the volume is encrypted with a key that AWS manages; "
                "the setting gives it one of the customer's."
            )
        if self._settings.direct_internet:
            findings["AwsSolutions-SM3"] = (
                "notebook.direct_internet is a setting, off in prod; the role reaches the platform's data only."
            )
        acknowledge(notebook, findings)


def _mount_efs(address: str) -> str:
    """Shell that mounts EFS and shows its folder for people beside their notebooks."""
    values = {"@ADDRESS@": address, "@USER@": PEOPLE_USER, "@FOLDER@": PEOPLE_FOLDER}
    script = MOUNT_EFS.read_text()
    for placeholder, value in values.items():
        script = script.replace(placeholder, value)
    return script
