"""What a pipeline runs: descriptions of its jobs and endpoint, and SageMaker's requests for them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from containers.shared import sagemaker
from headrace import contract
from headrace.channels import Channel, VpcConfig, render_input_data_config
from headrace.golden.contract import MODEL_ARGUMENT, REQUESTS_ARGUMENT
from stacks.pipeline.asl import jsonata
from stacks.settings.endpoint import EndpointSettings
from stacks.settings.jobs import JobSettings, ProcessingSettings, SpotSettings, TrainingSettings
from stacks.settings.transform import LineTransformSettings, TransformSettings, reads_lines
from stacks.settings.update import UpdateSettings

VARIANT_NAME = "AllTraffic"
# AWS says of training jobs only that isolated containers reach each other.
_SHARED_NETWORK = {"EnableNetworkIsolation": False, "EnableInterContainerTrafficEncryption": True}


@dataclass(frozen=True, kw_only=True)
class PreprocessingJob:
    """A processing job from one prefix to several outputs below the execution's own.

    Args:
        role: What it runs under.
        image_uri: The container image's URI, tag included.
        arguments: The program's arguments.
        source_uri: The prefix it reads.
        input_path: Where the container finds it.
        output_paths: Where the container leaves each output, by the output's name.
        settings: Its machine and limits.
        key: The customer's key, for the volume and the outputs.
    """

    role: iam.IRole
    image_uri: str
    arguments: Sequence[str]
    source_uri: str
    input_path: str
    output_paths: Mapping[str, str]
    settings: ProcessingSettings
    key: kms.IKey | None

    def render(self, job_name: str, output_uris: Mapping[str, str]) -> dict[str, Any]:
        """CreateProcessingJob's request."""
        is_shared = self.settings.instances > 1
        outputs = [_write_output(name, output_uris[name], path) for name, path in self.output_paths.items()]
        return {
            "ProcessingJobName": job_name,
            "RoleArn": self.role.role_arn,
            "AppSpecification": {"ImageUri": self.image_uri, "ContainerArguments": list(self.arguments)},
            "ProcessingInputs": [_read_input("raw", self.source_uri, self.input_path, is_divided=is_shared)],
            "ProcessingOutputConfig": {"Outputs": outputs, **encrypt_outputs(self.key)},
            "ProcessingResources": {
                "ClusterConfig": render_resources(self.settings, self.key, count=self.settings.instances)
            },
            "NetworkConfig": _SHARED_NETWORK if is_shared else {"EnableNetworkIsolation": True},
            "StoppingCondition": {"MaxRuntimeInSeconds": self.settings.max_runtime_seconds},
        }


@dataclass(frozen=True, kw_only=True)
class TrainingJob:
    """A training job.

    Args:
        role: What it runs under.
        image_uri: The container image's URI, tag included.
        metrics: The regular expression of each metric, by its name.
        channels: Where its data comes from.
        vpc_config: The network, for channels from file systems.
        environment: What the program finds in its environment.
        isolated: Whether the container reaches no network, not even AWS.
        settings: Its machine, limits and hyperparameters.
        key: The customer's key, for the volume and the outputs.
    """

    role: iam.IRole
    image_uri: str
    metrics: Mapping[str, str]
    channels: Sequence[Channel]
    vpc_config: VpcConfig | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    isolated: bool = True
    settings: TrainingSettings
    key: kms.IKey | None

    def render(self, job_name: str, output_uri: str, checkpoints_uri: str) -> dict[str, Any]:
        """CreateTrainingJob's request."""
        network = {"VpcConfig": self.vpc_config.render()} if self.vpc_config else {}
        spot = self.settings.spot
        variables = {**self.environment, **_render_checkpoint_variables(spot)}
        environment = {"Environment": variables} if variables else {}
        definitions = [{"Name": name, "Regex": regex} for name, regex in self.metrics.items()]
        return {
            "TrainingJobName": job_name,
            "RoleArn": self.role.role_arn,
            "AlgorithmSpecification": {
                "TrainingImage": self.image_uri,
                "TrainingInputMode": "File",
                **({"MetricDefinitions": definitions} if definitions else {}),
            },
            "HyperParameters": {key: str(value) for key, value in self.settings.hyperparameters.items()},
            **environment,
            "InputDataConfig": render_input_data_config(self.channels, self.vpc_config),
            "OutputDataConfig": {"S3OutputPath": output_uri, **encrypt_outputs(self.key)},
            "ResourceConfig": render_resources(self.settings, self.key, count=self.settings.instances),
            "EnableNetworkIsolation": self.isolated,
            **network,
            **_render_spot(spot, checkpoints_uri),
            "StoppingCondition": {
                "MaxRuntimeInSeconds": self.settings.max_runtime_seconds,
                **({"MaxWaitTimeInSeconds": spot.max_wait_seconds} if spot else {}),
            },
        }


@dataclass(frozen=True, kw_only=True)
class Rehearsal:
    """A processing job that asks a new model golden requests, with the server of the serving container image.

    Args:
        role: What it runs under.
        image_uri: The container image's URI, tag included.
        program: The module that asks them.
        requests_uri: Where the requests are.
        settings: Its machine and limits.
        key: The customer's key, for the volume.
    """

    role: iam.IRole
    image_uri: str
    program: str
    requests_uri: str
    settings: ProcessingSettings
    key: kms.IKey | None

    def render(self, job_name: str, model_data: str) -> dict[str, Any]:
        """CreateProcessingJob's request; the model's address is JSONata."""
        folders = {name: f"{sagemaker.ML_ROOT}/processing/{name}" for name in ("model", "golden")}
        archive = f"'{folders['model']}/' & $split({model_data}, '/')[-1]"
        requests = f"{folders['golden']}/{self.requests_uri.rpartition('/')[2]}"
        return {
            "ProcessingJobName": job_name,
            "RoleArn": self.role.role_arn,
            "AppSpecification": {
                "ImageUri": self.image_uri,
                "ContainerEntrypoint": ["python", "-m", self.program],
                "ContainerArguments": [MODEL_ARGUMENT, jsonata(archive), REQUESTS_ARGUMENT, requests],
            },
            "ProcessingInputs": [
                _read_input("model", jsonata(model_data), folders["model"]),
                _read_input("golden", self.requests_uri, folders["golden"]),
            ],
            "ProcessingResources": {"ClusterConfig": render_resources(self.settings, self.key)},
            "NetworkConfig": {"EnableNetworkIsolation": True},
            "StoppingCondition": {"MaxRuntimeInSeconds": self.settings.max_runtime_seconds},
        }


@dataclass(frozen=True, kw_only=True)
class TransformJob:
    """A job that asks a model about every record of some objects.

    Args:
        source_uri: The prefix that it reads.
        content_type: What the objects are, and the answers where they are lines.
        settings: Its machines and how it asks.
        key: The customer's key, for the volumes and the outputs.
    """

    source_uri: str
    content_type: str
    settings: TransformSettings
    key: kms.IKey | None

    def render(self, job_name: str, model_name: str, output_uri: str) -> dict[str, Any]:
        """CreateTransformJob's request."""
        settings = self.settings
        lines = settings if reads_lines(self.content_type) and isinstance(settings, LineTransformSettings) else None
        encryption = (
            {"VolumeKmsKeyId": self.key.key_arn} if self.key and not has_local_storage(settings.instance_type) else {}
        )
        return {
            "TransformJobName": job_name,
            "ModelName": model_name,
            "BatchStrategy": lines.strategy if lines else "SingleRecord",
            "MaxPayloadInMB": settings.max_payload_mb,
            "TransformInput": {
                "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": self.source_uri}},
                "ContentType": self.content_type,
                "SplitType": "Line" if lines else "None",
            },
            "TransformOutput": {
                "S3OutputPath": output_uri,
                **({"Accept": self.content_type, "AssembleWith": "Line"} if lines else {"AssembleWith": "None"}),
                **encrypt_outputs(self.key),
            },
            "TransformResources": {
                "InstanceType": settings.instance_type,
                "InstanceCount": settings.instance_count,
                **encryption,
            },
            **({"DataProcessing": {"JoinSource": "Input"}} if lines and lines.join_input else {}),
            # Together they may have 100 MB, and containers ask for as many at once as there are CPUs.
            **({"MaxConcurrentTransforms": 1} if settings.max_payload_mb > sagemaker.MAX_PAYLOAD_MB else {}),
        }


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """What serves the model.

    Args:
        name: The endpoint that an execution creates or updates when its input names none.
        role: What the model runs under.
        image_uri: The container image's URI, tag included.
        settings: Its machines.
        key: The customer's key, for the volumes.
        captured_uri: Below which it keeps requests and answers, where the settings have it keep any.
        alarms: The names of the alarms that roll an update of the endpoint of that name back.
    """

    name: str
    role: iam.IRole
    image_uri: str
    settings: EndpointSettings
    key: kms.IKey | None
    captured_uri: str
    alarms: Sequence[str] = ()

    @property
    def volume_key(self) -> kms.IKey | None:
        """The key of its volumes, where SageMaker takes one."""
        return None if has_local_storage(self.settings.instance_type) else self.key

    def render_model(self, model_name: str, package: str) -> dict[str, Any]:
        """CreateModel's request for a version, which says what the model consists of."""
        return {
            "ModelName": model_name,
            "ExecutionRoleArn": self.role.role_arn,
            "PrimaryContainer": {"ModelPackageName": package},
            # Serverless endpoints refuse models with it:
            # https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html
            **({} if self.settings.serverless else {"EnableNetworkIsolation": True}),
        }

    def render_config(self, config_name: str, model_name: str) -> dict[str, Any]:
        """CreateEndpointConfig's request."""
        variant = {
            "VariantName": VARIANT_NAME,
            "ModelName": model_name,
            **_render_capacity(self.settings),
            "InitialVariantWeight": 1,
        }
        encryption = {"KmsKeyId": self.volume_key.key_arn} if self.volume_key else {}
        return {
            "EndpointConfigName": config_name,
            "ProductionVariants": [variant],
            **encryption,
            **_render_metrics(self.settings.metrics_seconds),
            **self._render_capture(),
        }

    def _render_capture(self) -> dict[str, Any]:
        capture = self.settings.capture
        if not capture:
            return {}
        config = {
            "EnableCapture": True,
            "InitialSamplingPercentage": capture.percent,
            "DestinationS3Uri": self.captured_uri,
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            # Everything else is kept in base64.
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]},
            **encrypt_outputs(self.key),
        }
        return {"DataCaptureConfig": config}

    def render_retention(self) -> dict[str, Any]:
        """UpdateEndpoint's part about how many machines the new ones are: as many as scaling has come to."""
        scaling = self.settings.scaling
        # A serverless endpoint, or none, has no machines that could be kept.
        kept = jsonata("$not($serving_type in ['', 'none'])")
        return {"RetainAllVariantProperties": kept} if scaling and scaling.enabled else {}

    def render_deployment(self) -> dict[str, Any]:
        """UpdateEndpoint's part about the way from the old machines to new ones; SageMaker's own unless it is set.

        The alarms watch the endpoint of the settings only: another one that an execution's input names has none.
        """
        update = self.settings.update
        if update == UpdateSettings():
            return {}
        alarms = json.dumps({"Alarms": [{"AlarmName": name} for name in self.alarms]})
        watched = f"$lowercase($endpoint_name) = '{self.name.lower()}' ? {alarms} : {{}}"
        policy = {
            "TrafficRoutingConfiguration": _render_traffic(update),
            "TerminationWaitInSeconds": update.termination_wait_seconds,
            "MaximumExecutionTimeoutInSeconds": update.timeout_seconds,
        }
        rollback = {"AutoRollbackConfiguration": jsonata(watched)} if self.alarms else {}
        return {"DeploymentConfig": {"BlueGreenUpdatePolicy": policy, **rollback}}


def _render_checkpoint_variables(spot: SpotSettings | None) -> dict[str, str]:
    return {sagemaker.CHECKPOINT_SECONDS_VARIABLE: str(spot.checkpoint_seconds)} if spot else {}


def _render_spot(spot: SpotSettings | None, checkpoints_uri: str) -> dict[str, Any]:
    if not spot:
        return {}
    folder = f"{sagemaker.ML_ROOT}/{sagemaker.CHECKPOINTS_FOLDER}"
    return {
        "EnableManagedSpotTraining": True,
        "CheckpointConfig": {"S3Uri": checkpoints_uri, "LocalPath": folder},
    }


def _read_input(name: str, uri: str, path: str, *, is_divided: bool = False) -> dict[str, Any]:
    source = {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File"}
    return {"InputName": name, "S3Input": source | ({"S3DataDistributionType": "ShardedByS3Key"} if is_divided else {})}


def _write_output(name: str, uri: str, path: str) -> dict[str, Any]:
    return {"OutputName": name, "S3Output": {"S3Uri": uri, "LocalPath": path, "S3UploadMode": "EndOfJob"}}


def _render_traffic(update: UpdateSettings) -> dict[str, Any]:
    step = {"Type": "CAPACITY_PERCENT", "Value": update.first_percent}
    sizes = {"canary": {"CanarySize": step}, "linear": {"LinearStepSize": step}}
    return {
        "Type": update.traffic.upper(),
        "WaitIntervalInSeconds": update.wait_seconds,
        **sizes.get(update.traffic, {}),
    }


def _render_capacity(settings: EndpointSettings) -> dict[str, Any]:
    """What answers the requests: machines, or containers that start when they are asked."""
    serverless = settings.serverless
    if not serverless:
        return {"InstanceType": settings.instance_type, "InitialInstanceCount": settings.instance_count}
    warm = serverless.provisioned_concurrency
    return {
        "ServerlessConfig": {
            "MemorySizeInMB": serverless.memory_mb,
            "MaxConcurrency": serverless.max_concurrency,
            **({"ProvisionedConcurrency": warm} if warm else {}),
        }
    }


def _render_metrics(seconds: int) -> dict[str, Any]:
    """Enhanced metrics, because those of invocations come every 60 seconds without."""
    config = {"EnableEnhancedMetrics": True, "MetricPublishFrequencyInSeconds": seconds}
    return {"MetricsConfig": config} if seconds != EndpointSettings().metrics_seconds else {}


def render_resources(settings: JobSettings, key: kms.IKey | None, *, count: int = 1) -> dict[str, Any]:
    """The machine of a job as SageMaker's requests have it."""
    encryption = {"VolumeKmsKeyId": key.key_arn} if key and not has_local_storage(settings.instance_type) else {}
    return {
        "InstanceCount": count,
        "InstanceType": settings.instance_type,
        "VolumeSizeInGB": settings.volume_gib,
        **encryption,
    }


def encrypt_outputs(key: kms.IKey | None) -> dict[str, str]:
    """The key of a job's outputs, which SageMaker encrypts with S3's own otherwise, whatever the bucket's is."""
    return {"KmsKeyId": key.key_arn} if key else {}


def has_local_storage(instance_type: str) -> bool:
    """Whether an instance keeps its data on its own disks, which SageMaker refuses a key for.

    They are encrypted by their hardware:
    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ResourceConfig.html
    """
    family = instance_type.split(".")[1]
    return family.startswith(("dl", "g", "p", "trn")) or "d" in family[2:]


def execution_uri(work: s3.IBucket, workload: str, name: str) -> str:
    """JSONata for a place of the running execution in the work bucket."""
    return jsonata(f"'s3://{work.bucket_name}/{contract.executions_prefix(workload)}' & $execution & '/{name}'")


def checkpoints_uri(work: s3.IBucket, workload: str) -> str:
    """JSONata for the checkpoints of the running execution, the same for each attempt of its training."""
    return jsonata(f"'s3://{work.bucket_name}/{contract.checkpoints_prefix(workload)}' & $execution & '/'")
