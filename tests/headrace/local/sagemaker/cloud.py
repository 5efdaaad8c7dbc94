"""A control plane on fakes, the requests that tests send it, and the programs it runs for them."""

import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from headrace.local.engine.file_systems import FileSystems
from headrace.local.engine.resources import DATA_REPOSITORY_ASSOCIATION, EFS_FILE_SYSTEM, FSX_FILE_SYSTEM
from headrace.local.faults import Faults, read_fault
from headrace.local.limits import Limits
from headrace.local.sagemaker import Host, Patience, RunnableContainerImage, SageMaker
from headrace.local.sagemaker.endpoint import Endpoint
from headrace.local.sagemaker.kinds.endpoints import Endpoints
from headrace.local.sagemaker.kinds.training_jobs import TrainingJobs
from headrace.local.sagemaker.validation import find_violations, load_service_model
from tests.headrace.local.sagemaker.fakes import FakeCloudWatch, FakeLogs, FakeRegistry, FakeS3

ACCOUNT = "123456789012"
REGION = "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/ml"
PROGRAM_START = "import os, pathlib, sys\nml = pathlib.Path(os.environ['HEADRACE_ML_ROOT'])\n"
SERVE = """
    import http.server
    model = ml / 'model' / 'model.txt'
    answer = model.read_text() if model.exists() else os.environ.get('ANSWER', 'none')

    class Handler(http.server.BaseHTTPRequestHandler):
        def reply(self, status, body, content_type='text/csv'):
            self.send_response(status)
            self.send_header('Content-Type', content_type)
            name = 'X-Amzn-SageMaker-Custom-Attributes'
            self.send_header(name, self.headers.get(name, ''))
            self.send_header('Content-Length', str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        def do_GET(self):
            self.reply(200 if answer != 'sick' else 503, b'')
        def do_POST(self):
            body = self.rfile.read(int(self.headers['Content-Length']))
            if body == b'crash':
                print('crashing')
                os._exit(7)
            if body == b'refuse':
                self.reply(400, b'not a number')
            if body == b'block':
                print('blocked')
                self.rfile.read(1)
            self.reply(200, f"{answer}:{body.decode()}:{self.headers['Content-Type']}".encode())
        def log_message(self, *_):
            pass

    http.server.ThreadingHTTPServer.request_queue_size = 64
    server = http.server.ThreadingHTTPServer(
        (os.environ['HEADRACE_BIND_HOST'], int(os.environ['SAGEMAKER_BIND_TO_PORT'])), Handler)
    print('serving', sys.argv[1:])
    server.serve_forever()
"""


class Cloud:
    """A control plane with everything around it in memory, and short words for what tests do most."""

    def __init__(
        self, folder: Path, patience: Patience, s3: FakeS3 | None = None, limits: Limits | None = None
    ) -> None:
        self.folder = folder
        self.root = folder / "sagemaker"
        self.s3 = s3 or FakeS3("raw", "work")
        self.logs = FakeLogs()
        self.cloudwatch = FakeCloudWatch()
        self.registry = FakeRegistry()
        self.file_systems = FileSystems(folder, self.s3)
        self.events: list[tuple[str, Mapping[str, Any], str]] = []
        self.faults = Faults()
        host = Host(
            root=self.root,
            registry=self.registry,
            s3=self.s3,
            logs=self.logs,
            cloudwatch=self.cloudwatch,
            file_systems=self.file_systems,
            account=ACCOUNT,
            region=REGION,
            patience=patience,
            limits=limits or Limits(),
            faults=self.faults,
            publish=lambda *event: self.events.append(event),
        )
        self.sagemaker = SageMaker(host)

    def push_image(self, program: str, name: str = "program", **environment: str) -> str:
        """Registers a Python program as a container image and returns its name."""
        image_uri = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{name}:latest"
        file = self.folder / f"{name}.py"
        file.write_text(PROGRAM_START + textwrap.dedent(program), encoding="utf-8")
        self.registry.images[image_uri] = RunnableContainerImage(
            entrypoint=(sys.executable, "-I", "-S", "-u", str(file)),
            working_directory=self.folder,
            environment=environment,
        )
        return image_uri

    def add_efs(self, file_system_id: str) -> Path:
        """Makes an EFS file system and returns its folder."""
        self.file_systems.list_watchers()[EFS_FILE_SYSTEM].create(file_system_id, {})
        return self.file_systems.folder(file_system_id)

    def add_linked_fsx(self, file_system_id: str, source: str, *events: str) -> Path:
        """Makes an FSx file system with a bucket at /data and returns its folder; its mount name is `fsx`."""
        watchers = self.file_systems.list_watchers()
        watchers[FSX_FILE_SYSTEM].create(file_system_id, {"FileSystemType": "LUSTRE"})
        policy = {"Events": list(events)}
        link = {
            "FileSystemId": file_system_id,
            "FileSystemPath": "/data",
            "DataRepositoryPath": source,
            "S3": {"AutoImportPolicy": policy, "AutoExportPolicy": policy},
        }
        watchers[DATA_REPOSITORY_ASSOCIATION].create("dra-0123456789abcdef0", link)
        return self.file_systems.folder(file_system_id)

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        return check_answer(operation, self.sagemaker.call(operation, request))

    def train(self, image_uri: str, name: str = "job", **changes: Any) -> dict[str, Any]:
        return self.call("CreateTrainingJob", **training_request(image_uri, name, **changes))

    def train_to_end(self, image_uri: str, name: str = "job", **changes: Any) -> dict[str, Any]:
        self.train(image_uri, name, **changes)
        return check_answer("DescribeTrainingJob", self.sagemaker.wait("TrainingJob", name))

    def process(self, image_uri: str, name: str = "job", **changes: Any) -> dict[str, Any]:
        return self.call("CreateProcessingJob", **processing_request(image_uri, name, **changes))

    def process_to_end(self, image_uri: str, name: str = "job", **changes: Any) -> dict[str, Any]:
        self.process(image_uri, name, **changes)
        return check_answer("DescribeProcessingJob", self.sagemaker.wait("ProcessingJob", name))

    def inject(self, preset: str, operation: str, **options: Any) -> None:
        """Has calls of an operation of SageMaker meet a fault."""
        self.faults.add(read_fault({"preset": preset, "operation": f"sagemaker:{operation}", **options}))

    def await_line(self, text: str) -> None:
        """Returns when any program has printed a text."""
        self.logs.await_line(text)

    def list_trees(self) -> list[Path]:
        """What jobs and endpoints have left of their files and folders."""
        return list((self.root / "jobs").glob("*/*"))

    def list_records(self) -> list[Path]:
        """The records of running processes."""
        return list((self.root / "processes").glob("*"))


def check_answer(operation: str, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer, unless it is one that the API would never give."""
    service = "sagemaker-runtime" if operation == "InvokeEndpoint" else "sagemaker"
    shape = load_service_model(service).operation_model(operation).output_shape
    assert list(find_violations(shape, answer, "")) == [] if shape else answer == {}
    return answer


def training_request(image_uri: str, name: str = "job", **changes: Any) -> dict[str, Any]:
    algorithm = {"TrainingImage": image_uri, "TrainingInputMode": "File"} | changes.pop("algorithm", {})
    return {
        "TrainingJobName": name,
        "AlgorithmSpecification": algorithm,
        "RoleArn": ROLE,
        "OutputDataConfig": {"S3OutputPath": "s3://work/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 10},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
    } | changes


def s3_channel(uri: str, name: str = "train", data_type: str = "S3Prefix", **changes: Any) -> dict[str, Any]:
    source = {"S3DataSource": {"S3DataType": data_type, "S3Uri": uri}}
    return {"ChannelName": name, "DataSource": source} | changes


def file_system_channel(
    file_system_id: str, path: str, access: str, name: str = "train", kind: str = "EFS"
) -> dict[str, Any]:
    source = {
        "FileSystemId": file_system_id,
        "FileSystemType": kind,
        "DirectoryPath": path,
        "FileSystemAccessMode": access,
    }
    return {"ChannelName": name, "DataSource": {"FileSystemDataSource": source}}


def processing_request(image_uri: str, name: str = "job", **changes: Any) -> dict[str, Any]:
    return {
        "ProcessingJobName": name,
        "AppSpecification": {"ImageUri": image_uri},
        "RoleArn": ROLE,
        "ProcessingResources": {
            "ClusterConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 10}
        },
    } | changes


def make_config(cloud: Cloud, name: str, image_uri: str, answer: str = "", **container: Any) -> None:
    container |= {"Image": image_uri, "Environment": {"ANSWER": answer or name}}
    cloud.call("CreateModel", ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": name,
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
        "InitialVariantWeight": 1.0,
    }
    cloud.call("CreateEndpointConfig", EndpointConfigName=name, ProductionVariants=[variant])


def await_status(cloud: Cloud, status: str) -> dict[str, Any]:
    """The endpoint once nothing is being done to it, which must have this status then."""
    endpoint = check_answer("DescribeEndpoint", cloud.sagemaker.wait("Endpoint", "endpoint"))
    assert endpoint["EndpointStatus"] == status
    return endpoint


def serve(cloud: Cloud, config: str = "first", **container: Any) -> str:
    """An endpoint in service; returns its container image."""
    image = cloud.push_image(SERVE, name="server")
    make_config(cloud, config, image, **container)
    cloud.call("CreateEndpoint", EndpointName="endpoint", EndpointConfigName=config)
    await_status(cloud, "InService")
    return image


def make_group(cloud: Cloud, name: str = "group", **changes: Any) -> None:
    cloud.call("CreateModelPackageGroup", ModelPackageGroupName=name, **changes)


def register(cloud: Cloud, image_uri: str, *, container: Mapping[str, Any] | None = None, **changes: Any) -> str:
    """A version of the group `group`; returns its ARN."""
    containers = [{"Image": image_uri, **(container or {})}]
    request = {"ModelPackageGroupName": "group", "InferenceSpecification": {"Containers": containers}, **changes}
    arn: str = cloud.call("CreateModelPackage", **request)["ModelPackageArn"]
    return arn


def find_endpoint(cloud: Cloud) -> Endpoint:
    """The endpoint as the control plane has it."""
    return cloud.sagemaker._kinds.find(Endpoints).find("endpoint")


def find_training_jobs(cloud: Cloud) -> TrainingJobs:
    """The training jobs as the control plane has them."""
    return cloud.sagemaker._kinds.find(TrainingJobs)


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"
