"""What SageMaker says of a resource though its request did not: the defaults that Describe operations write out."""

from collections.abc import Mapping
from typing import Any

TRAINING_SWITCHES = (
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
)


def complete_training_request(request: Mapping[str, Any]) -> dict[str, Any]:
    """A training job's request with the members that DescribeTrainingJob never leaves out."""
    completed = {
        **dict.fromkeys(TRAINING_SWITCHES, False),
        **request,
        "OutputDataConfig": {"KmsKeyId": "", "CompressionType": "GZIP", **request["OutputDataConfig"]},
    }
    if "InputDataConfig" in request:
        completed["InputDataConfig"] = [complete_channel(channel) for channel in request["InputDataConfig"]]
    return completed


def complete_channel(channel: Mapping[str, Any]) -> dict[str, Any]:
    """A channel with its defaults."""
    source = channel["DataSource"]
    if "S3DataSource" in source:
        source = {"S3DataSource": {"S3DataDistributionType": "FullyReplicated", **source["S3DataSource"]}}
    return {"CompressionType": "None", "RecordWrapperType": "None", **channel, "DataSource": source}


def complete_processing_request(request: Mapping[str, Any], max_runtime_seconds: int) -> dict[str, Any]:
    """A processing job's request with the members that DescribeProcessingJob never leaves out."""
    completed = {"StoppingCondition": {"MaxRuntimeInSeconds": max_runtime_seconds}, **request}
    if "ProcessingInputs" in request:
        completed["ProcessingInputs"] = [{"AppManaged": False, **given} for given in request["ProcessingInputs"]]
    if "ProcessingOutputConfig" in request:
        config = request["ProcessingOutputConfig"]
        outputs = [{"AppManaged": False, **output} for output in config["Outputs"]]
        completed["ProcessingOutputConfig"] = {**config, "Outputs": outputs}
    return completed


def complete_model_request(request: Mapping[str, Any]) -> dict[str, Any]:
    """A model's request with the members that DescribeModel never leaves out."""
    completed = {"EnableNetworkIsolation": False, **request}
    if "PrimaryContainer" in request:
        completed["PrimaryContainer"] = {"Mode": "SingleModel", "Environment": {}, **request["PrimaryContainer"]}
    return completed
