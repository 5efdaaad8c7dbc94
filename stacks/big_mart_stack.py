"""Sales of Big Mart: from raw rows to a live endpoint."""

from typing import Any

from aws_cdk import CfnOutput, Stack
from constructs import Construct

from containers.big_mart.preprocessing import contract as preprocessing
from containers.big_mart.training import contract as training
from containers.shared import sagemaker
from headrace import contract
from headrace.channels import S3Channel
from headrace.recipes import ContainerImage, big_mart
from stacks.constructs.execution_role import ExecutionRole
from stacks.constructs.jobs import Endpoint, PreprocessingJob, TrainingJob, execution_uri
from stacks.constructs.training_pipeline import Parts, TrainingPipeline
from stacks.registry_stack import RegistryStack
from stacks.settings.environment import Settings
from stacks.storage_stack import StorageStack

# What the processing job leaves for the training job: its outputs, and the channels they become.
TRAIN_OUTPUT, TEST_OUTPUT, ENCODING_OUTPUT = "train", "test", "encoding"


class BigMartStack(Stack):
    """A processing job that cleans and splits, a random forest, an endpoint that takes raw rows."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        storage: StorageStack,
        registry: RegistryStack,
        **kwargs: Any,
    ) -> None:
        super().__init__(scope, construct_id, **kwargs)
        self._settings = settings
        self._storage = storage
        self._registry = registry

        parts = Parts(
            workload=big_mart.RECIPE,
            work=storage.work,
            preprocessing=self._describe_preprocessing(),
            training=self._describe_training(),
            endpoint=self._describe_endpoint(),
        )
        pipeline = TrainingPipeline(self, "Training", parts=parts, settings=settings, key=storage.key)

        CfnOutput(self, big_mart.RECIPE.state_machine_output, value=pipeline.state_machine.state_machine_arn)
        CfnOutput(self, big_mart.RECIPE.endpoint_name_output, value=parts.endpoint.name)

    def _describe_preprocessing(self) -> PreprocessingJob:
        settings = self._settings.bigmart.preprocessing
        role = self._create_role(big_mart.PREPROCESSING, kind="ProcessingJobs")
        role.allow_reading(self._storage.raw, big_mart.RECIPE.raw_prefix)
        role.allow_writing(self._storage.work, contract.EXECUTIONS_PREFIX)
        folders = {
            TRAIN_OUTPUT: preprocessing.TRAIN_FOLDER,
            TEST_OUTPUT: preprocessing.TEST_FOLDER,
            ENCODING_OUTPUT: preprocessing.ENCODING_FOLDER,
        }
        return PreprocessingJob(
            role=role,
            image_uri=self._registry.repositories[big_mart.PREPROCESSING].image_uri,
            arguments=[
                preprocessing.SPLIT_RATIO_ARGUMENT,
                str(settings.train_test_split_ratio),
                preprocessing.SEED_ARGUMENT,
                str(settings.seed),
            ],
            source_uri=f"s3://{self._storage.raw.bucket_name}/{big_mart.RECIPE.raw_prefix}",
            input_path=f"{sagemaker.ML_ROOT}/{preprocessing.INPUT_FOLDER}",
            output_paths={name: f"{sagemaker.ML_ROOT}/{folder}" for name, folder in folders.items()},
            settings=settings,
            key=self._storage.key,
        )

    def _describe_training(self) -> TrainingJob:
        role = self._create_role(big_mart.TRAINING, kind="TrainingJobs")
        role.allow_reading(self._storage.work, contract.EXECUTIONS_PREFIX)
        role.allow_writing(self._storage.work, contract.EXECUTIONS_PREFIX)
        sources = {
            training.TRAIN_CHANNEL: (TRAIN_OUTPUT, "text/csv"),
            training.VALIDATION_CHANNEL: (TEST_OUTPUT, "text/csv"),
            training.ENCODING_CHANNEL: (ENCODING_OUTPUT, "application/json"),
        }
        return TrainingJob(
            role=role,
            image_uri=self._registry.repositories[big_mart.TRAINING].image_uri,
            metrics=training.METRICS,
            channels=[
                S3Channel(name=name, uri=execution_uri(self._storage.work, output), content_type=content_type)
                for name, (output, content_type) in sources.items()
            ],
            settings=self._settings.bigmart.training,
            key=self._storage.key,
        )

    def _describe_endpoint(self) -> Endpoint:
        role = self._create_role(big_mart.INFERENCE, kind="Endpoints")
        role.allow_reading(self._storage.work, contract.EXECUTIONS_PREFIX)
        return Endpoint(
            name=self._settings.endpoint_name(big_mart.RECIPE),
            role=role,
            image_uri=self._registry.repositories[big_mart.INFERENCE].image_uri,
            settings=self._settings.bigmart.endpoint,
            key=self._storage.key,
        )

    def _create_role(self, container: ContainerImage, *, kind: str) -> ExecutionRole:
        repository = self._registry.repositories[container]
        return ExecutionRole(
            self, f"{container.pascal_name}Role", kind=kind, repository=repository, key=self._storage.key
        )
