"""Training jobs: channels in, a model out."""

import json
import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from headrace.local.sagemaker.archives import pack_folder
from headrace.local.sagemaker.channels import ChannelStager
from headrace.local.sagemaker.container_images import RunnableContainerImage
from headrace.local.sagemaker.descriptions import complete_training_request
from headrace.local.sagemaker.host import Host, read_clock
from headrace.local.sagemaker.job_kind import JobKind
from headrace.local.sagemaker.jobs import Job, JobEnd, describe_resources
from headrace.local.sagemaker.kind import KindLog
from headrace.local.sagemaker.left_files import LeftFolder
from headrace.local.sagemaker.metrics import MetricCollector, MetricPublisher
from headrace.local.sagemaker.processes import build_command
from headrace.local.sagemaker.rules import DEFAULT_MAX_RUNTIME_SECONDS, check_training_job
from headrace.local.sagemaker.s3_objects import (
    download_prefix,
    encrypt_outputs,
    parse_address,
    upload_file,
    upload_folder,
)
from headrace.local.sagemaker.trees import ContainerTree
from headrace.s3.addresses import S3Address

NOT_DESCRIBED = {"Tags", "SessionChainingConfig"}
STATUS_MESSAGES = {
    "Starting": "Starting the training job",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}


class TrainingJob(Job):
    """One training job, as SageMaker would run it on an instance."""

    kind: ClassVar[str] = "TrainingJob"
    log: ClassVar[KindLog] = KindLog("training", "/aws/sagemaker/TrainingJobs")
    summary_keys: ClassVar[tuple[str, ...]] = (
        "TrainingJobName",
        "TrainingJobArn",
        "CreationTime",
        "TrainingEndTime",
        "LastModifiedTime",
        "TrainingJobStatus",
        "SecondaryStatus",
    )

    def __init__(self, request: Mapping[str, Any], host: Host, image: RunnableContainerImage) -> None:
        stopping = {"MaxRuntimeInSeconds": DEFAULT_MAX_RUNTIME_SECONDS, **request.get("StoppingCondition", {})}
        super().__init__({**request, "StoppingCondition": stopping}, host, image)
        self.transitions: list[dict[str, Any]] = []
        self._algorithm = request["AlgorithmSpecification"]
        publisher = MetricPublisher(self.host.cloudwatch, self.name)
        self._metrics = MetricCollector(self._algorithm.get("MetricDefinitions", []), publisher)
        self._results = (
            parse_address(request["OutputDataConfig"]["S3OutputPath"]).as_folder().join(f"{self.name}/output/")
        )
        self._is_packed = request["OutputDataConfig"].get("CompressionType") != "NONE"
        self._encryption = encrypt_outputs(request["OutputDataConfig"])
        self._enter("Starting")

    @classmethod
    def check(cls, request: Mapping[str, Any]) -> str:
        """The URI of the container image that a request names; raises SageMakerError if it cannot be run."""
        check_training_job(request)
        return str(request["AlgorithmSpecification"]["TrainingImage"])

    @property
    def instances(self) -> Mapping[str, Any]:
        """What it asks to run on."""
        resources: Mapping[str, Any] = self.request["ResourceConfig"]
        return resources

    @property
    def vpc_config(self) -> Mapping[str, Any] | None:
        """Its subnets and security groups, if it runs in a VPC."""
        return self.request.get("VpcConfig")

    @property
    def usage(self) -> str:
        """What its instances are used for, as quotas call it."""
        return f"{'spot ' if self.request.get('EnableManagedSpotTraining') else ''}{super().usage}"

    def describe(self) -> dict[str, Any]:
        """DescribeTrainingJob of the API."""
        with self.changed:
            described = {key: value for key, value in self.request.items() if key not in NOT_DESCRIBED}
            description = complete_training_request(described) | {
                "TrainingJobArn": self.arn,
                "TrainingJobStatus": self.status,
                "SecondaryStatus": self.transitions[-1]["Status"],
                "SecondaryStatusTransitions": [dict(transition) for transition in self.transitions],
                "ModelArtifacts": {"S3ModelArtifacts": str(self._model_location)},
                "CreationTime": self.creation_time,
                "LastModifiedTime": self.last_modified_time,
                "FinalMetricDataList": self._metrics.list_final_values() if self.is_terminal else [],
            }
            if self.failure_reason:
                description["FailureReason"] = self.failure_reason
            return description | self._describe_times()

    @property
    def _model_location(self) -> S3Address:
        return self._results.join("model.tar.gz" if self._is_packed else "model/")

    def _describe_times(self) -> dict[str, datetime | int]:
        if not self.start_time:
            return {}
        if not self.end_time:
            return {"TrainingStartTime": self.start_time}
        seconds = max(1, math.ceil((self.end_time - self.start_time).total_seconds()))
        return {
            "TrainingStartTime": self.start_time,
            "TrainingEndTime": self.end_time,
            "TrainingTimeInSeconds": seconds,
            "BillableTimeInSeconds": seconds,
        }

    def _enter(self, status: str) -> None:
        with self.changed:
            now = self.last_modified_time = read_clock()
            if self.transitions:
                self.transitions[-1]["EndTime"] = now
            message = STATUS_MESSAGES[status]
            self.transitions.append({"Status": status, "StartTime": now, "StatusMessage": message})

    def _enter_stopping(self) -> None:
        if self.status != "Stopping":
            super()._enter_stopping()
            self._enter("Stopping")

    def _find_volume_gib(self) -> int | None:
        size: int | None = self.instances.get("VolumeSizeInGB")
        return size

    def _read_line(self, line: str) -> None:
        self._metrics.read_line(line)

    def _record_end(self, end: JobEnd) -> None:
        self._enter(end.detail)
        self.transitions[-1]["EndTime"] = self.transitions[-1]["StartTime"]
        if end.failure_reason:
            self.transitions[-1]["StatusMessage"] = end.failure_reason

    def _work(self, tree: ContainerTree) -> JobEnd:
        self._check_stop()
        self.start_time = read_clock()
        self._enter("Downloading")
        stager = ChannelStager(self.host, self.request["RoleArn"], self._check_stop)
        try:
            self._stage(tree, stager)
            end = self._train(tree, stager)
        finally:
            self._metrics.close()
            stager.export_changes()
        self._enter("Uploading")
        self._store_results(tree)
        return end

    def _train(self, tree: ContainerTree, stager: ChannelStager) -> JobEnd:
        self._check_stop()
        self._enter("Training")
        command = build_command(
            self.image,
            tree,
            entrypoint=self._algorithm.get("ContainerEntrypoint"),
            arguments=self._algorithm.get("ContainerArguments"),
            default_arguments=("train",),
            linked=stager.linked,
        )
        environment = {"TRAINING_JOB_NAME": self.name, "TRAINING_JOB_ARN": self.arn}
        notes = [*self._list_differences(), *stager.list_differences()]
        preparation = stager.protect_folders()
        self._streamed = stager.streamed
        return self._run_program(tree, command, environment, notes=notes, preparation=preparation)

    def _stage(self, tree: ContainerTree, stager: ChannelStager) -> None:
        for folder in ("model", "output/data", "checkpoints", "input/data"):
            tree.make_folder(folder)
        channels = self.request.get("InputDataConfig", [])
        mode = self._algorithm["TrainingInputMode"]
        write_config(tree, "hyperparameters", self.request.get("HyperParameters", {}))
        write_config(
            tree, "inputdataconfig", {channel["ChannelName"]: describe_channel(channel, mode) for channel in channels}
        )
        write_config(tree, "resourceconfig", describe_resources(self.request["ResourceConfig"]))
        for channel in channels:
            stager.stage_channel(channel, mode, tree.ml / "input/data" / channel["ChannelName"])
        self._restore_checkpoints(tree)

    def _restore_checkpoints(self, tree: ContainerTree) -> None:
        checkpoints = self.request.get("CheckpointConfig")
        if checkpoints:
            folder = tree.locate(checkpoints.get("LocalPath", "/opt/ml/checkpoints"))
            folder.mkdir(parents=True, exist_ok=True)
            download_prefix(self.host.s3, parse_address(checkpoints["S3Uri"]), folder, self._check_stop)

    def _store_results(self, tree: ContainerTree) -> None:
        checkpoints = self.request.get("CheckpointConfig")
        if checkpoints:
            folder = tree.locate(checkpoints.get("LocalPath", "/opt/ml/checkpoints"))
            place = parse_address(checkpoints["S3Uri"])
            upload_folder(self.host.s3, self._open_results(tree, folder), place, self._encryption)
        # Output first: once the model is there, everything else is too.
        for folder, name in ((tree.ml / "output/data", "output"), (tree.ml / "model", "model")):
            self._store_folder(tree, self._open_results(tree, folder), name)

    def _store_folder(self, tree: ContainerTree, results: LeftFolder, name: str) -> None:
        if not self._is_packed:
            upload_folder(self.host.s3, results, self._results.join(name), self._encryption)
            return
        entries = results.list_entries()
        if entries:
            archive = tree.folder / f"{name}.tar.gz"
            pack_folder(results, entries, archive)
            with archive.open("rb") as file:
                upload_file(self.host.s3, file, self._results.join(archive.name), self._encryption)

    def _list_differences(self) -> list[str]:
        count = self.request["ResourceConfig"].get("InstanceCount", 1)
        return [f"InstanceCount {count} runs as one process on this machine"] if count > 1 else []


def write_config(tree: ContainerTree, name: str, content: Mapping[str, Any]) -> None:
    """Writes one of the JSON files that training programs read."""
    file = tree.make_folder("input/config") / f"{name}.json"
    file.write_text(json.dumps(content), encoding="utf-8")


def describe_channel(channel: Mapping[str, Any], default_mode: str) -> dict[str, str]:
    """A channel as inputdataconfig.json describes it; a FastFile channel looks like files to the program."""
    mode = channel.get("InputMode", default_mode)
    source = channel["DataSource"].get("S3DataSource", {})
    described = {
        "TrainingInputMode": "File" if mode == "FastFile" else mode,
        "S3DistributionType": source.get("S3DataDistributionType", "FullyReplicated"),
        "RecordWrapperType": channel.get("RecordWrapperType", "None"),
    }
    return described | ({"ContentType": channel["ContentType"]} if "ContentType" in channel else {})


class TrainingJobs(JobKind[TrainingJob]):
    """The training job operations of the API."""

    job = TrainingJob
