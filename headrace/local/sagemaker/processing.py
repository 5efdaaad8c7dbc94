"""Processing jobs: inputs to folders, a program, folders to outputs."""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from headrace.local.sagemaker.catalog import Catalog, list_page
from headrace.local.sagemaker.channels import ChannelStager
from headrace.local.sagemaker.descriptions import complete_processing_request
from headrace.local.sagemaker.errors import RequestRefusedError, SageMakerError
from headrace.local.sagemaker.host import Host, read_clock
from headrace.local.sagemaker.images import ContainerImage
from headrace.local.sagemaker.jobs import COMPLETED, Job, Outcome
from headrace.local.sagemaker.processes import build_command
from headrace.local.sagemaker.rules import DEFAULT_MAX_RUNTIME_SECONDS, check_processing_job
from headrace.local.sagemaker.s3_objects import parse_address, upload_folder
from headrace.local.sagemaker.training import describe_resources
from headrace.local.sagemaker.trees import ContainerTree


class ProcessingJob(Job):
    """One processing job, as SageMaker would run it on an instance."""

    kind: ClassVar[str] = "processing"
    arn_kind: ClassVar[str] = "processing-job"
    name_key: ClassVar[str] = "ProcessingJobName"
    log_group: ClassVar[str] = "/aws/sagemaker/ProcessingJobs"

    def __init__(self, request: Mapping[str, Any], host: Host, image: ContainerImage) -> None:
        super().__init__(request, host, image)
        self._exit_message = ""

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

    def summarize(self) -> dict[str, Any]:
        """The job's line in ListProcessingJobs."""
        description = self.describe()
        keys = (
            "ProcessingJobName",
            "ProcessingJobArn",
            "CreationTime",
            "ProcessingEndTime",
            "LastModifiedTime",
            "ProcessingJobStatus",
            "FailureReason",
            "ExitMessage",
        )
        return {key: description[key] for key in keys if key in description}

    def _work(self, tree: ContainerTree) -> Outcome:
        self._check_stop()
        self.start_time = read_clock()
        self._stage(tree)
        self._check_stop()
        application = self.request["AppSpecification"]
        command = build_command(
            self.image,
            tree,
            entrypoint=application.get("ContainerEntrypoint"),
            arguments=application.get("ContainerArguments"),
        )
        try:
            outcome = self._run_program(tree, command, {}, notes=self._list_differences())
        finally:
            self._exit_message = self._read_left_text(tree, "output/message")
        if outcome is COMPLETED:
            self._store_outputs(tree)
        return outcome

    def _find_volume_gib(self) -> int | None:
        size: int | None = self.request["ProcessingResources"]["ClusterConfig"].get("VolumeSizeInGB")
        return size

    def _read_line(self, line: str) -> None:
        """Processing jobs have no metrics."""

    def _record_outcome(self, outcome: Outcome) -> None:
        """Processing jobs have no finer status."""

    def _stage(self, tree: ContainerTree) -> None:
        tree.make_folder("output")
        config = tree.make_folder("config")
        described = {key: value for key, value in self.request.items() if key != "Tags"}
        resources = describe_resources(self.request["ProcessingResources"]["ClusterConfig"])
        for name, content in (
            ("processingjobconfig", {"ProcessingJobArn": self.arn, **described}),
            ("resourceconfig", resources),
        ):
            (config / f"{name}.json").write_text(json.dumps(content), encoding="utf-8")
        for output in self._list_outputs():
            tree.locate(output["LocalPath"]).mkdir(parents=True, exist_ok=True)
        stager = ChannelStager(self.host, self.request["RoleArn"], self._check_stop)
        for source in (given["S3Input"] for given in self.request.get("ProcessingInputs", [])):
            stager.stage_s3(source["S3Uri"], source["S3DataType"], tree.locate(source["LocalPath"]))

    def _list_outputs(self) -> list[dict[str, Any]]:
        outputs = self.request.get("ProcessingOutputConfig", {}).get("Outputs", [])
        return [output["S3Output"] for output in outputs]

    def _store_outputs(self, tree: ContainerTree) -> None:
        for output in self._list_outputs():
            results = self._open_results(tree, tree.locate(output["LocalPath"]))
            upload_folder(self.host.s3, results, parse_address(output["S3Uri"]))

    def _list_differences(self) -> list[str]:
        notes = []
        count = self.request["ProcessingResources"]["ClusterConfig"].get("InstanceCount", 1)
        if count > 1:
            notes.append(f"InstanceCount {count} runs as one process on this machine")
        if any(output["S3UploadMode"] == "Continuous" for output in self._list_outputs()):
            notes.append("outputs with S3UploadMode Continuous are uploaded at the end of the job")
        return notes


class ProcessingJobs:
    """The processing job operations of the API."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self.jobs: Catalog[ProcessingJob] = Catalog()

    def create(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """CreateProcessingJob: checks the request and starts the job."""
        check_processing_job(request)
        job = ProcessingJob(request, self._host, self._host.find_image(request["AppSpecification"]["ImageUri"]))
        if self.jobs.add(job):
            raise SageMakerError(
                "ResourceInUse",
                "Processing job names must be unique within an AWS account and region, and a processing job with this "
                f"name already exists ({job.arn})",
            )
        job.start()
        return {"ProcessingJobArn": job.arn}

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeProcessingJob."""
        return self.find(request["ProcessingJobName"]).describe()

    def stop(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """StopProcessingJob: returns while the job is still stopping."""
        job = self.find(request["ProcessingJobName"])
        if not job.stop():
            raise RequestRefusedError(f"The request was rejected because the processing job is in status {job.status}.")
        return {}

    def list_jobs(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """ListProcessingJobs."""
        return list_page(
            self.jobs,
            request,
            key="ProcessingJobSummaries",
            summarize=ProcessingJob.summarize,
            descending_by_default=False,
        )

    def find(self, name: str) -> ProcessingJob:
        """The job of a name, or SageMaker's refusal."""
        job = self.jobs.find(name)
        if not job:
            raise RequestRefusedError("Requested resource not found.")
        return job
