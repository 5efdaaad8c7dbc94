"""Processing jobs: inputs to folders, a program, folders to outputs."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from headrace.local.sagemaker.channels import ChannelStager
from headrace.local.sagemaker.container_images import RunnableContainerImage
from headrace.local.sagemaker.descriptions import complete_processing_request
from headrace.local.sagemaker.host import Host, count_instances, read_clock
from headrace.local.sagemaker.instances import Instance, describe_resources, make_instances
from headrace.local.sagemaker.job_ends import COMPLETED, JobEnd
from headrace.local.sagemaker.job_kind import JobKind
from headrace.local.sagemaker.jobs import Job
from headrace.local.sagemaker.kind import KindLog
from headrace.local.sagemaker.processes import build_command
from headrace.local.sagemaker.programs import Program
from headrace.local.sagemaker.rules import DEFAULT_MAX_RUNTIME_SECONDS, check_processing_job
from headrace.local.sagemaker.s3_objects import encrypt_outputs, parse_address, upload_folder
from headrace.local.sagemaker.trees import ContainerTree


class ProcessingJob(Job):
    """One processing job, as SageMaker would run it on an instance."""

    kind: ClassVar[str] = "ProcessingJob"
    log: ClassVar[KindLog] = KindLog("preprocessing", "/aws/sagemaker/ProcessingJobs")
    summary_keys: ClassVar[tuple[str, ...]] = (
        "ProcessingJobName",
        "ProcessingJobArn",
        "CreationTime",
        "ProcessingEndTime",
        "LastModifiedTime",
        "ProcessingJobStatus",
        "FailureReason",
        "ExitMessage",
    )

    def __init__(self, request: Mapping[str, Any], host: Host, image: RunnableContainerImage) -> None:
        super().__init__(request, host, image)
        self._exit_message = ""

    @classmethod
    def check(cls, request: Mapping[str, Any]) -> str:
        """The URI of the container image that a request names; raises SageMakerError if it cannot be run."""
        check_processing_job(request)
        return str(request["AppSpecification"]["ImageUri"])

    @property
    def instances(self) -> Mapping[str, Any]:
        """What it asks to run on."""
        cluster: Mapping[str, Any] = self.request["ProcessingResources"]["ClusterConfig"]
        return cluster

    @property
    def vpc_config(self) -> Mapping[str, Any] | None:
        """Its subnets and security groups, if it runs in a VPC."""
        found: Mapping[str, Any] | None = self.request.get("NetworkConfig", {}).get("VpcConfig")
        return found

    def describe(self) -> dict[str, Any]:
        """DescribeProcessingJob of the API."""
        with self.changed:
            described = {key: value for key, value in self.request.items() if key != "Tags"}
            description = complete_processing_request(described, DEFAULT_MAX_RUNTIME_SECONDS) | {
                "ProcessingJobArn": self.arn,
                "ProcessingJobStatus": self.status,
                "CreationTime": self.creation_time,
                "LastModifiedTime": self.last_modified_time,
            }
            optional = {
                "ExitMessage": self._exit_message,
                "FailureReason": self.failure_reason,
                "ProcessingStartTime": self.start_time,
                "ProcessingEndTime": self.end_time,
            }
            return description | {key: value for key, value in optional.items() if value}

    def _work(self, tree: ContainerTree) -> JobEnd:
        self._check_stop()
        self.start_time = read_clock()
        instances = make_instances(tree, count_instances(self.instances))
        for instance in instances:
            self._stage(instance)
        self._check_stop()
        try:
            end = self._run_programs([self._plan(each) for each in instances], notes=self._list_differences())
        finally:
            messages = [self._read_left_text(each.tree, "output/message") for each in instances]
            self._exit_message = next(filter(None, messages), "")
        if end is COMPLETED:
            self._store_outputs(instances)
        return end

    def _plan(self, instance: Instance) -> Program:
        application = self.request["AppSpecification"]
        command = build_command(
            self.image,
            instance.tree,
            entrypoint=application.get("ContainerEntrypoint"),
            arguments=application.get("ContainerArguments"),
        )
        return Program(instance=instance, command=command, environment={})

    def _find_volume_gib(self) -> int | None:
        size: int | None = self.instances.get("VolumeSizeInGB")
        return size

    def _read_line(self, line: str) -> None:
        """Processing jobs have no metrics."""

    def _record_end(self, end: JobEnd) -> None:
        """Processing jobs have no finer status."""

    def _stage(self, instance: Instance) -> None:
        tree = instance.tree
        tree.make_folder("output")
        config = tree.make_folder("config")
        described = {key: value for key, value in self.request.items() if key != "Tags"}
        resources = describe_resources(self.instances, instance)
        for name, content in (
            ("processingjobconfig", {"ProcessingJobArn": self.arn, **described}),
            ("resourceconfig", resources),
        ):
            (config / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        for output in self._list_outputs():
            tree.locate(output["LocalPath"]).mkdir(parents=True, exist_ok=True)
        stager = ChannelStager(self.host, self.request["RoleArn"], self._check_stop, instance.shard)
        for source in (given["S3Input"] for given in self.request.get("ProcessingInputs", [])):
            stager.stage_s3(source, tree.locate(source["LocalPath"]))

    def _list_outputs(self) -> list[dict[str, Any]]:
        outputs = self.request.get("ProcessingOutputConfig", {}).get("Outputs", [])
        return [output["S3Output"] for output in outputs]

    def _store_outputs(self, instances: Sequence[Instance]) -> None:
        encryption = encrypt_outputs(self.request.get("ProcessingOutputConfig", {}))
        for output in self._list_outputs():
            results = self._open_results([(each.tree, each.tree.locate(output["LocalPath"])) for each in instances])
            upload_folder(self.host.s3, results, parse_address(output["S3Uri"]), encryption)

    def _list_differences(self) -> list[str]:
        is_continuous = any(output["S3UploadMode"] == "Continuous" for output in self._list_outputs())
        return ["outputs with S3UploadMode Continuous are uploaded at the end of the job"] if is_continuous else []


class ProcessingJobs(JobKind[ProcessingJob]):
    """The processing job operations of the API."""

    job = ProcessingJob
