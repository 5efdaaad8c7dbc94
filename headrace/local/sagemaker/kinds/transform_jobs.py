"""Transform jobs: a model serves every record of some objects, and stops by itself."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Final

from headrace.local.clock import WorkingThread
from headrace.local.sagemaker.channels import ChannelStager
from headrace.local.sagemaker.definitions import Definition
from headrace.local.sagemaker.deployments import Deployment, DeploymentError, NotServingError
from headrace.local.sagemaker.errors import AlgorithmError, SageMakerError
from headrace.local.sagemaker.host import Host, read_clock
from headrace.local.sagemaker.invocations import CLOSED_MESSAGE, describe_model_error, send_to_container
from headrace.local.sagemaker.job_ends import COMPLETED, JobEnd
from headrace.local.sagemaker.job_kind import JobKind
from headrace.local.sagemaker.jobs import Job
from headrace.local.sagemaker.kind import Handler, KindLog
from headrace.local.sagemaker.kinds.models import Models
from headrace.local.sagemaker.rules import check_s3_uri, list_containers
from headrace.local.sagemaker.s3_objects import encrypt_outputs, parse_address, upload_file
from headrace.local.sagemaker.transforming import DEFAULT_MAX_PAYLOAD_MIB, Batching, check_transform_job
from headrace.local.sagemaker.trees import ContainerTree

_INVOCATION_SECONDS: Final = 600
_RETRIES: Final = 3
_GROUP: Final = "/aws/sagemaker/TransformJobs"
_NOT_DESCRIBED: Final = {"Tags"}


class TransformJob(Job):
    """One transform job: the serving program of a model, asked record by record."""

    kind: ClassVar[str] = "TransformJob"
    log: ClassVar[KindLog] = KindLog("transform", _GROUP)
    summary_keys: ClassVar[tuple[str, ...]] = (
        "TransformJobName",
        "TransformJobArn",
        "CreationTime",
        "TransformEndTime",
        "TransformJobStatus",
        "FailureReason",
    )

    def __init__(self, request: Mapping[str, Any], host: Host, model: Definition) -> None:
        (container,) = list_containers(model.request)
        self._model = model
        self._batching = Batching.of(request)
        super().__init__(
            request,
            host.acting_as(model.request.get("ExecutionRoleArn")),
            host.find_container_image(container["Image"]),
        )
        self._deployment = self._plan(host, container)

    @classmethod
    def check(cls, request: Mapping[str, Any]) -> str:
        """The model that a request names; raises SageMakerError if the job cannot be run."""
        check_transform_job(request)
        check_s3_uri(request["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"])
        check_s3_uri(request["TransformOutput"]["S3OutputPath"])
        return str(request["ModelName"])

    @property
    def instances(self) -> Mapping[str, Any]:
        """What it asks to run on."""
        resources: Mapping[str, Any] = self.request["TransformResources"]
        return resources

    @property
    def vpc_config(self) -> Mapping[str, Any] | None:
        """Its model's subnets and security groups, if that runs in a VPC."""
        found: Mapping[str, Any] | None = self._model.request.get("VpcConfig")
        return found

    def describe(self) -> dict[str, Any]:
        """DescribeTransformJob of the API."""
        with self.changed:
            optional = {
                "FailureReason": self.failure_reason,
                "TransformStartTime": self.start_time,
                "TransformEndTime": self.end_time,
            }
            return {
                **{key: value for key, value in self.request.items() if key not in _NOT_DESCRIBED},
                "TransformJobArn": self.arn,
                "TransformJobStatus": self.status,
                "CreationTime": self.creation_time,
                **{key: value for key, value in optional.items() if value},
            }

    def stop(self) -> bool:
        """Asks the job to end, its server included; False when it has ended already."""
        if not super().stop():
            return False
        WorkingThread(self._deployment.stop, name=f"end of {self.name}").start()
        return True

    def close(self) -> None:
        """Ends the job at once, without results, and returns when nothing of it is left."""
        self._deployment.stop(self.host.patience.close_seconds)
        super().close()

    def _plan(self, host: Host, container: Mapping[str, Any]) -> Deployment:
        """A server of the model for this job alone, with its variables."""
        environment = {
            **container.get("Environment", {}),
            **self.request.get("Environment", {}),
            "SAGEMAKER_BATCH": "true",
            "SAGEMAKER_BATCH_STRATEGY": "SINGLE_RECORD" if self._batching.is_single else "MULTI_RECORD",
            "SAGEMAKER_MAX_PAYLOAD_IN_MB": str(self.request.get("MaxPayloadInMB", DEFAULT_MAX_PAYLOAD_MIB)),
            "SAGEMAKER_MAX_CONCURRENT_TRANSFORMS": "1",
        }
        kept = {key: value for key, value in self._model.request.items() if key != "Containers"}
        model = replace(self._model, request={**kept, "PrimaryContainer": {**container, "Environment": environment}})
        variant = {"VariantName": "transform", "ModelName": model.name}
        config = Definition(
            kind="EndpointConfig", name=self.name, arn=self.arn, request={"ProductionVariants": [variant]}
        )
        (name,) = self._logs.name_streams(["algo-1"])
        stream = f"{name}-{id(self):x}"
        return Deployment(host, self.name, config, model, log=(_GROUP, stream))

    def _work(self, tree: ContainerTree) -> JobEnd:
        self._check_stop()
        self.start_time = read_clock()
        folder = tree.make_folder("input/data")
        source = self.request["TransformInput"]["DataSource"]["S3DataSource"]
        stager = ChannelStager(self.host, self._model.request.get("ExecutionRoleArn", ""), self._check_stop)
        stager.stage_s3(source, folder)
        try:
            self._deployment.start()
            for file in sorted(path for path in folder.rglob("*") if path.is_file()):
                self._transform(file, f"{file.relative_to(folder)}.out", tree)
        except DeploymentError as error:
            # A job that is stopped takes its server along.
            self._check_stop()
            raise AlgorithmError(str(error)) from error
        finally:
            self._deployment.stop()
        return COMPLETED

    def _transform(self, file: Path, name: str, tree: ContainerTree) -> None:
        """Store what the model makes of an object; without an answer to every record there is no output of it."""
        result = tree.folder / "result"
        result.write_bytes(self._batching.transform(file.read_bytes(), self._ask))
        place = parse_address(self.request["TransformOutput"]["S3OutputPath"]).as_folder().join(name)
        with result.open("rb") as opened:
            upload_file(self.host.s3, opened, place, encrypt_outputs(self.request["TransformOutput"]))

    def _ask(self, body: bytes) -> bytes:
        client = self.request.get("ModelClientConfig", {})
        attempts = 1 + client.get("InvocationsMaxRetries", _RETRIES)
        for attempt in range(1, attempts + 1):
            self._check_stop()
            try:
                return self._ask_once(body, client.get("InvocationsTimeoutInSeconds", _INVOCATION_SECONDS))
            except SageMakerError as error:
                self._check_stop()
                is_own_fault = 400 <= error.details["OriginalStatusCode"] < 500
                if is_own_fault or attempt == attempts:
                    raise AlgorithmError(error.message) from error
        raise AssertionError("the last attempt returns or raises")

    def _ask_once(self, body: bytes, seconds: float) -> bytes:
        given, made = self.request["TransformInput"], self.request["TransformOutput"]
        headers = {"Content-Type": given.get("ContentType"), "Accept": made.get("Accept")}
        try:
            port = self._deployment.acquire()
        except NotServingError as error:
            raise describe_model_error(0, CLOSED_MESSAGE) from error
        try:
            answer = send_to_container(port, body, {name: value for name, value in headers.items() if value}, seconds)
        finally:
            self._deployment.release()
        if not 200 <= answer.status < 300:
            raise describe_model_error(answer.status, answer.body.decode("utf-8", errors="replace"))
        return answer.body

    def _find_volume_gib(self) -> int | None:
        return None

    def _read_line(self, line: str) -> None:
        """Transform jobs have no metrics of their own."""

    def _record_end(self, end: JobEnd) -> None:
        """Transform jobs have no finer status."""


class TransformJobs(JobKind[TransformJob]):
    """The transform job operations of the API."""

    job = TransformJob
    listed_as: ClassVar[str] = "TransformJobSummaries"

    @property
    def operations(self) -> Mapping[str, Handler]:
        """Those of jobs; no transform job can be deleted."""
        return {name: serve for name, serve in super().operations.items() if name != "DeleteTransformJob"}

    def make(self, request: Mapping[str, Any]) -> TransformJob:
        """The job that a request asks for."""
        model = self._kinds.find(Models).find(self.job.check(request))
        return TransformJob(request, self._host, model)
