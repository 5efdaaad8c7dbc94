"""Training jobs: channels in, a model out."""

import json
import math
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any, ClassVar, Final

from headrace.algorithms import find_by_uri
from headrace.local.faults import Effect
from headrace.local.sagemaker.archives import pack_folder
from headrace.local.sagemaker.channels import ChannelStager
from headrace.local.sagemaker.checkpoints import Checkpoints
from headrace.local.sagemaker.container_images import RunnableContainerImage
from headrace.local.sagemaker.descriptions import complete_training_request
from headrace.local.sagemaker.errors import AlgorithmError, RequestRefusedError
from headrace.local.sagemaker.host import Host, count_instances, read_clock
from headrace.local.sagemaker.instances import Instance, describe_resources, make_instances
from headrace.local.sagemaker.job_ends import INTERRUPTED, Interruption, JobEnd
from headrace.local.sagemaker.job_kind import JobKind
from headrace.local.sagemaker.jobs import Job
from headrace.local.sagemaker.kind import KindLog
from headrace.local.sagemaker.merged_folders import Results
from headrace.local.sagemaker.metrics import MetricCollector, MetricPublisher
from headrace.local.sagemaker.processes import build_command
from headrace.local.sagemaker.programs import Program
from headrace.local.sagemaker.rules import DEFAULT_MAX_RUNTIME_SECONDS, check_training_job
from headrace.local.sagemaker.s3_objects import (
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
    "Interrupted": "Instances were interrupted; the training job goes on when there are others",
    "Uploading": "Uploading generated training model",
    "Stopping": "Stopping the training job",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
    "MaxWaitTimeExceeded": "Training job runtime and wait exceeded MaxWaitTimeInSeconds provided",
}
# What of its time a job on spot instances is billed for. AWS says "up to 90 %" of savings and has no fixed price:
# https://docs.aws.amazon.com/sagemaker/latest/dg/model-managed-spot-training.html
SPOT_BILLED_PART = 0.3
CHECKPOINTS_INTERVAL_SECONDS = 1.0
_INTERRUPTIONS: Final = frozenset({Effect.INTERRUPTED})


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
        self._metrics = MetricCollector(list_metric_definitions(self._algorithm), publisher)
        self._results = (
            parse_address(request["OutputDataConfig"]["S3OutputPath"]).as_folder().join(f"{self.name}/output/")
        )
        self._is_packed = request["OutputDataConfig"].get("CompressionType") != "NONE"
        self._encryption = encrypt_outputs(request["OutputDataConfig"])
        self._instances: list[Instance] = []
        self._checkpoints: list[Checkpoints] = []
        self._run_seconds = 0.0
        self._wait_deadline = math.inf
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
    def is_spot(self) -> bool:
        """Whether its instances may be taken away while it runs."""
        return bool(self.request.get("EnableManagedSpotTraining"))

    @property
    def usage(self) -> str:
        """What its instances are used for, as quotas call it."""
        return f"{'spot ' if self.is_spot else ''}{super().usage}"

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
        waited = sum(
            (transition["EndTime"] - transition["StartTime"]).total_seconds()
            for transition in self.transitions
            if transition["Status"] == "Interrupted"
        )
        seconds = max(1, math.ceil((self.end_time - self.start_time).total_seconds() - waited))
        return {
            "TrainingStartTime": self.start_time,
            "TrainingEndTime": self.end_time,
            "TrainingTimeInSeconds": seconds,
            "BillableTimeInSeconds": max(1, math.ceil(seconds * SPOT_BILLED_PART)) if self.is_spot else seconds,
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

    def interrupt(self, *, grace_seconds: float | None = None, lasts_seconds: float = 0) -> bool:
        """Takes the job's spot instances away; False where it is not training on any.

        Args:
            grace_seconds: How long the program has between SIGTERM and SIGKILL: SageMaker's time to stop unless it is
                given; 0 for no warning at all.
            lasts_seconds: After how long there are other instances.
        """
        grace = self.host.patience.job_stop_seconds if grace_seconds is None else grace_seconds
        with self.changed:
            if not self.is_spot or self.transitions[-1]["Status"] != "Training" or self._stop_requested:
                return False
            self._interruption = Interruption(grace, lasts_seconds)
            self.changed.notify_all()
            return True

    def _meet_interruption(self) -> None:
        """Loses its spot instances where a fault asks for it."""
        if self.is_spot and self.host.faults.take("sagemaker", "CreateTrainingJob", self.request, _INTERRUPTIONS):
            self.interrupt()

    def _work(self, tree: ContainerTree) -> JobEnd:
        self._check_stop()
        self.start_time = read_clock()
        stopping = self.request["StoppingCondition"]
        self._wait_deadline = time.monotonic() + stopping.get("MaxWaitTimeInSeconds", math.inf)
        while (end := self._run_on_instances(tree)) is INTERRUPTED:
            if not self._await_instances():
                return JobEnd("Stopped", "MaxWaitTimeExceeded")
            self._enter("Starting")
            tree = ContainerTree.create(tree.folder)
        self._enter("Uploading")
        self._store_results(tree)
        return end

    def _run_on_instances(self, tree: ContainerTree) -> JobEnd:
        self._enter("Downloading")
        self._instances = make_instances(tree, count_instances(self.instances))
        self._checkpoints = []
        role = self.request["RoleArn"]
        stagers = [ChannelStager(self.host, role, self._check_stop, each.shard) for each in self._instances]
        staged = list(zip(self._instances, stagers, strict=True))
        try:
            for instance, stager in staged:
                self._stage(instance, stager)
            end = self._train(staged)
            self._keep_checkpoints(end)
            return end
        except AlgorithmError:
            self._look_after_files()
            raise
        finally:
            self._metrics.close()
            for stager in stagers:
                stager.export_changes()

    def _await_instances(self) -> bool:
        """Whether there are other instances before the job has waited as long as it may."""
        with self.changed:
            interruption, self._interruption = self._interruption, None
            until = time.monotonic() + (interruption.lasts_seconds if interruption else 0)
            self.changed.wait_for(
                lambda: self._stop_requested, max(0, min(until, self._wait_deadline) - time.monotonic())
            )
            self._check_stop()
            return until < self._wait_deadline

    def _find_deadline(self) -> tuple[float, JobEnd]:
        run = self.request["StoppingCondition"]["MaxRuntimeInSeconds"] - self._run_seconds
        deadlines = {
            time.monotonic() + run: JobEnd("Stopped", "MaxRuntimeExceeded"),
            self._wait_deadline: JobEnd("Stopped", "MaxWaitTimeExceeded"),
        }
        return min(deadlines.items(), key=lambda item: item[0])

    def _enter_interrupted(self) -> None:
        self._enter("Interrupted")

    def _train(self, staged: Sequence[tuple[Instance, ChannelStager]]) -> JobEnd:
        self._check_stop()
        self._enter("Training")
        programs = [self._plan(instance, stager) for instance, stager in staged]
        notes = [*self._list_differences(), *staged[0][1].list_differences()]
        begin = time.monotonic()
        try:
            with ExitStack() as feeding, self.host.faults.watch(self._meet_interruption):
                for _, stager in staged:
                    feeding.enter_context(stager.feeding(self._fail_data))
                return self._run_programs(programs, notes=notes)
        finally:
            self._run_seconds += time.monotonic() - begin

    def _plan(self, instance: Instance, stager: ChannelStager) -> Program:
        command = build_command(
            self.image,
            instance.tree,
            entrypoint=self._algorithm.get("ContainerEntrypoint"),
            arguments=self._algorithm.get("ContainerArguments"),
            default_arguments=("train",),
            linked=stager.linked,
        )
        return Program(
            instance=instance,
            command=command,
            environment={"TRAINING_JOB_NAME": self.name, "TRAINING_JOB_ARN": self.arn},
            preparation=stager.protect_folders(),
            streamed=stager.streamed,
        )

    def _stage(self, instance: Instance, stager: ChannelStager) -> None:
        tree = instance.tree
        for folder in ("model", "output/data", "checkpoints", "input/data"):
            tree.make_folder(folder)
        channels = self.request.get("InputDataConfig", [])
        mode = self._algorithm["TrainingInputMode"]
        write_config(tree, "hyperparameters", self.request.get("HyperParameters", {}))
        write_config(
            tree, "inputdataconfig", {channel["ChannelName"]: describe_channel(channel, mode) for channel in channels}
        )
        write_config(tree, "resourceconfig", describe_resources(self.request["ResourceConfig"], instance))
        for channel in channels:
            stager.stage_channel(channel, mode, tree.ml / "input/data" / channel["ChannelName"])
        config = self.request.get("CheckpointConfig")
        if config:
            self.files_interval_seconds = CHECKPOINTS_INTERVAL_SECONDS
            checkpoints = Checkpoints(config, tree, self.host.s3, self._encryption, self._note)
            checkpoints.restore(self._check_stop)
            self._checkpoints.append(checkpoints)

    def _look_after_files(self) -> None:
        for checkpoints in self._checkpoints:
            checkpoints.store()

    def _keep_checkpoints(self, end: JobEnd) -> None:
        """Stores what the programs have written last, unless their machines went away without a warning."""
        is_lost = end is INTERRUPTED and self._interruption and not self._interruption.grace_seconds
        if not is_lost:
            self._look_after_files()

    def _store_results(self, tree: ContainerTree) -> None:
        # Output first: once the model is there, everything else is too.
        for folder, name in (("output/data", "output"), ("model", "model")):
            results = self._open_results([(each.tree, each.tree.ml / folder) for each in self._instances])
            self._store_folder(tree, results, name)

    def _store_folder(self, tree: ContainerTree, results: Results, name: str) -> None:
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
        return [self.image.note] if self.image.note else []


def list_metric_definitions(algorithm: Mapping[str, Any]) -> list[dict[str, str]]:
    """The metrics that SageMaker reads from a job's log: those of a built-in algorithm are its own.

    Raises:
        RequestRefusedError: If a request defines some beside them.
    """
    given: list[dict[str, str]] = algorithm.get("MetricDefinitions", [])
    found = find_by_uri(algorithm["TrainingImage"])
    if found is None:
        return given
    if given:
        raise RequestRefusedError(
            "You can't override the metric definitions for Amazon SageMaker algorithms. Please retry your request "
            "without specifying metric definitions."
        )
    return [{"Name": name, "Regex": regex} for name, regex in found[0].metrics.items()]


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

    def interrupt(self, name: str, *, grace_seconds: float | None = None, lasts_seconds: float = 0) -> None:
        """Takes the spot instances of a running job away, as `TrainingJob.interrupt` does.

        Raises:
            RequestRefusedError: There is no such job, or it is not training on spot instances now.
        """
        job = self.find(name)
        if not job.interrupt(grace_seconds=grace_seconds, lasts_seconds=lasts_seconds):
            status = job.describe()["SecondaryStatus"]
            place = "spot instances" if job.is_spot else "instances that are not spot instances"
            raise RequestRefusedError(f"The training job {name} is in status {status}, on {place}: not interrupted.")
