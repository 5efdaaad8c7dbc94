"""What SageMaker demands of requests beyond their shapes, and what the local cloud does not serve."""

import itertools
import re
from collections.abc import Mapping
from typing import Any

from headrace.local.sagemaker.errors import JobDataError, RequestRefusedError
from headrace.local.sagemaker.s3_objects import parse_address

DEFAULT_MAX_RUNTIME_SECONDS = 86_400
PROCESSING_ROOT = "/opt/ml/processing/"
MEMORY_STEP_MB = 1024
# All of them run on one machine.
MOST_INSTANCES = 20
# "In File mode, leave this field unset or set it to None":
# https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_Channel.html
PIPE_SETTINGS = {"CompressionType": "None", "RecordWrapperType": "None"}


def check_training_job(request: Mapping[str, Any]) -> None:
    """Raises RequestRefusedError for a training job that SageMaker or this machine would not take."""
    algorithm = request.get("AlgorithmSpecification", {})
    if not algorithm.get("TrainingImage"):
        raise RequestRefusedError(
            "AlgorithmSpecification needs a TrainingImage; AlgorithmName and serverless jobs are not served by the "
            "local cloud."
        )
    if "ResourceConfig" not in request:
        raise RequestRefusedError("ResourceConfig is required for a training job with a TrainingImage.")
    if "InstanceGroups" in request["ResourceConfig"]:
        raise RequestRefusedError(
            "InstanceGroups are not served by the local cloud; use InstanceType and InstanceCount."
        )
    check_instance_count(request["ResourceConfig"])
    check_s3_uri(request["OutputDataConfig"]["S3OutputPath"])
    check_spot(request)
    channels = request.get("InputDataConfig", [])
    refuse_duplicates("Channel names", [channel["ChannelName"] for channel in channels])
    modes = [channel.get("InputMode", algorithm["TrainingInputMode"]) for channel in channels]
    for channel, mode in zip(channels, modes, strict=True):
        check_channel(channel, mode, has_vpc="VpcConfig" in request)
    refuse_names_of_pipes(
        [channel["ChannelName"] for channel in channels],
        [channel["ChannelName"] for channel, mode in zip(channels, modes, strict=True) if mode == "Pipe"],
    )


def check_instance_count(cluster: Mapping[str, Any]) -> None:
    """Raises RequestRefusedError for more instances than this machine is to stand for."""
    count = cluster.get("InstanceCount", 1)
    if count > MOST_INSTANCES:
        raise RequestRefusedError(
            f"InstanceCount {count}: the local cloud runs at most {MOST_INSTANCES} instances of a job."
        )


def check_spot(request: Mapping[str, Any]) -> None:
    """Raises RequestRefusedError for managed spot training that may not wait as long as it may run."""
    stopping = request.get("StoppingCondition", {})
    run_seconds = stopping.get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME_SECONDS)
    if request.get("EnableManagedSpotTraining") and stopping.get("MaxWaitTimeInSeconds", 0) < run_seconds:
        raise RequestRefusedError(
            "Invalid MaxWaitTimeInSeconds. It must be present and be greater than or equal to MaxRuntimeInSeconds."
        )


def check_channel(channel: Mapping[str, Any], mode: str, *, has_vpc: bool) -> None:
    """Raises RequestRefusedError for a channel whose source does not go with its mode."""
    name = channel["ChannelName"]
    source = channel["DataSource"]
    if name in {".", ".."}:
        raise RequestRefusedError(f'Channel name "{name}" cannot be the name of a folder.')
    if len(source) != 1:
        raise RequestRefusedError(f"Channel {name} must have exactly one data source.")
    if "FileSystemDataSource" in source:
        if mode != "File":
            raise RequestRefusedError(f"Channel {name}: FileSystemDataSource is only supported in File input mode.")
        if not has_vpc:
            raise RequestRefusedError(
                f"Channel {name}: VpcConfig must be specified when FileSystemDataSource is used as an input."
            )
    if "S3DataSource" in source:
        check_s3_source(name, source["S3DataSource"], mode)
    if mode != "Pipe":
        refuse_settings_of_pipes(channel)


def refuse_settings_of_pipes(channel: Mapping[str, Any]) -> None:
    """Raises RequestRefusedError for what only a pipe's data can be."""
    for setting, unset in PIPE_SETTINGS.items():
        if channel.get(setting, unset) != unset:
            raise RequestRefusedError(
                f"Channel {channel['ChannelName']}: {setting} {channel[setting]} can only be used if the channel's "
                "input mode is Pipe."
            )


def refuse_names_of_pipes(names: list[str], of_pipes: list[str]) -> None:
    """Raises RequestRefusedError for a channel whose folder would stand where another's pipe is made."""
    for name, of_pipe in itertools.product(names, of_pipes):
        if re.fullmatch(rf"{re.escape(of_pipe)}_\d+", name):
            raise RequestRefusedError(
                f"Channel {name} has the name of a pipe of channel {of_pipe}; rename one of them."
            )


def check_s3_source(channel: str, source: Mapping[str, Any], mode: str) -> None:
    """Raises RequestRefusedError for an S3 data type that does not go with the input mode."""
    check_s3_uri(source["S3Uri"])
    if source["S3DataType"] == "AugmentedManifestFile" and mode != "Pipe":
        raise RequestRefusedError(
            f"Channel {channel}: AugmentedManifestFile can only be used if the channel's input mode is Pipe."
        )
    if source["S3DataType"] == "AugmentedManifestFile" and not source.get("AttributeNames"):
        raise RequestRefusedError(f"Channel {channel}: AugmentedManifestFile needs AttributeNames.")
    if mode == "FastFile" and source["S3DataType"] != "S3Prefix":
        raise RequestRefusedError(f"Channel {channel}: FastFile input mode only supports S3DataType S3Prefix.")


def check_processing_job(request: Mapping[str, Any]) -> None:
    """Raises RequestRefusedError for a processing job that SageMaker or this machine would not take."""
    check_instance_count(request["ProcessingResources"]["ClusterConfig"])
    inputs = request.get("ProcessingInputs", [])
    outputs = request.get("ProcessingOutputConfig", {}).get("Outputs", [])
    refuse_duplicates("Input names", [given["InputName"] for given in inputs])
    refuse_duplicates("Output names", [output["OutputName"] for output in outputs])
    for given in inputs:
        source = given.get("S3Input")
        if not source:
            raise RequestRefusedError(
                f"Input {given['InputName']} needs an S3Input; DatasetDefinition is not served by the local cloud."
            )
        check_local_path(given["InputName"], source)
        if source.get("S3InputMode", "File") != "File":
            raise RequestRefusedError(f"Input {given['InputName']}: Pipe mode is not served by the local cloud yet.")
    for output in outputs:
        if "S3Output" not in output:
            raise RequestRefusedError(
                f"Output {output['OutputName']} needs an S3Output; feature store outputs are not served by the local "
                "cloud."
            )
        check_local_path(output["OutputName"], output["S3Output"])


def check_local_path(name: str, place: Mapping[str, Any]) -> None:
    """Raises RequestRefusedError for a processing folder outside of the container's own."""
    path = place.get("LocalPath", "")
    if not f"{path}/".startswith(PROCESSING_ROOT) or ".." in path.split("/"):
        raise RequestRefusedError(f'LocalPath "{path}" of {name} must be a path below {PROCESSING_ROOT}')
    check_s3_uri(place["S3Uri"])


def check_endpoint_config(request: Mapping[str, Any]) -> None:
    """Raises RequestRefusedError for an endpoint configuration that this machine cannot serve."""
    variants = request["ProductionVariants"]
    if len(variants) != 1:
        raise RequestRefusedError("Several production variants are not served by the local cloud yet; give one.")
    for feature in ("AsyncInferenceConfig", "ShadowProductionVariants"):
        if feature in request:
            raise RequestRefusedError(f"{feature} is not served by the local cloud yet.")
    (variant,) = variants
    if "ModelName" not in variant:
        raise RequestRefusedError("Inference components are not served by the local cloud; give ModelName.")
    if "ServerlessConfig" in variant:
        check_serverless(request, variant)
    elif not ("InstanceType" in variant or "InstancePools" in variant):
        raise RequestRefusedError(
            f"Variant {variant['VariantName']} needs either InstanceType with InitialInstanceCount or ServerlessConfig."
        )


def check_serverless(request: Mapping[str, Any], variant: Mapping[str, Any]) -> None:
    """Raises RequestRefusedError for what serverless endpoints do not have.

    https://docs.aws.amazon.com/sagemaker/latest/dg/serverless-endpoints.html#serverless-endpoints-how-it-works-exclusions
    """
    name, config = variant["VariantName"], variant["ServerlessConfig"]
    for feature in ("DataCaptureConfig", "VpcConfig", "EnableNetworkIsolation", "KmsKeyId"):
        if request.get(feature):
            raise RequestRefusedError(f"{feature} is not supported for serverless endpoints; variant {name} is one.")
    for feature in ("InstanceType", "InitialInstanceCount", "InstancePools", "VolumeSizeInGB"):
        if feature in variant:
            raise RequestRefusedError(f"Variant {name} must not have {feature} together with ServerlessConfig.")
    if config["MemorySizeInMB"] % MEMORY_STEP_MB:
        raise RequestRefusedError(
            f"MemorySizeInMB of variant {name} must be a multiple of {MEMORY_STEP_MB}, not {config['MemorySizeInMB']}."
        )
    if config.get("ProvisionedConcurrency", 0) > config["MaxConcurrency"]:
        raise RequestRefusedError(f"ProvisionedConcurrency of variant {name} must not be above its MaxConcurrency.")


def check_serverless_model(variant: Mapping[str, Any], model: Mapping[str, Any]) -> None:
    """Raises RequestRefusedError for a model that a serverless variant cannot serve."""
    for feature in ("VpcConfig", "EnableNetworkIsolation"):
        if "ServerlessConfig" in variant and model.get(feature):
            raise RequestRefusedError(
                f"Model {variant['ModelName']} has {feature}, which is not supported for serverless endpoints."
            )


def check_model(request: Mapping[str, Any]) -> None:
    """Raises RequestRefusedError for a model that this machine cannot serve."""
    containers = list_containers(request)
    if len(containers) != 1:
        raise RequestRefusedError(
            "Give exactly one container, as PrimaryContainer; inference pipelines are not served by the local cloud "
            "yet."
        )
    (container,) = containers
    if "Image" not in container:
        raise RequestRefusedError("The container needs an Image or a ModelPackageName.")
    if container.get("Mode", "SingleModel") != "SingleModel":
        raise RequestRefusedError("Mode MultiModel is not served by the local cloud yet.")


def list_containers(request: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The containers of a model, whichever way it names them."""
    primary = [request["PrimaryContainer"]] if "PrimaryContainer" in request else []
    return primary + list(request.get("Containers", []))


def check_s3_uri(uri: str) -> None:
    """Raises RequestRefusedError for an address that is not in S3."""
    try:
        parse_address(uri)
    except JobDataError as error:
        raise RequestRefusedError(f"{error}.") from error


def refuse_duplicates(what: str, names: list[str]) -> None:
    """Raises RequestRefusedError when a name appears twice."""
    duplicates = sorted({name for name in names if names.count(name) > 1})
    if duplicates:
        raise RequestRefusedError(f"{what} must be unique; given more than once: {', '.join(duplicates)}.")
