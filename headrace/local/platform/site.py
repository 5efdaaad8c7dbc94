"""The platform on the local cloud, as the runs of workloads find it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import boto3

from headrace.channels.vocabulary import is_jsonata
from headrace.contract import FSX_RAW_PATH
from headrace.local.engine import file_systems
from headrace.local.engine.cloud import LocalCloud
from headrace.local.platform import pipeline
from headrace.local.platform.deployment import Deployment
from headrace.pipeline.machines import read_live_definition
from headrace.recipes import Recipe
from headrace.s3.addresses import S3Address
from headrace.workloads.delivery import Delivery, Folder, Place, Prefix

_FSX_LUSTRE: Final = "FSxLustre"


@dataclass(frozen=True)
class LocalSite:
    """A platform that is deployed to a local cloud.

    Args:
        cloud: The local cloud.
        deployment: What is deployed.
        job_name: The training job of the run, once it has ended.
    """

    cloud: LocalCloud
    deployment: Deployment
    job_name: str = ""

    def read_training_request(self, recipe: Recipe) -> dict[str, Any]:
        """What the deployed state machine asks of SageMaker for training."""
        request: dict[str, Any] = self._read_states(recipe)["Train"]["Arguments"]
        return request

    def find_batch(self, recipe: Recipe) -> Place | None:
        """Where the deployed state machine reads a batch; none where it serves an endpoint."""
        transform = self._read_states(recipe).get("Transform")
        return self.find_place(transform["Arguments"]["TransformInput"]["DataSource"]) if transform else None

    def open_channel(self, name: str) -> Place:
        """What the training job of the run has read through a channel."""
        job = boto3.client("sagemaker").describe_training_job(TrainingJobName=self.job_name)
        (channel,) = [channel for channel in job["InputDataConfig"] if channel["ChannelName"] == name]
        return self.open_folder(channel["DataSource"]["S3DataSource"]["S3Uri"])

    def open_folder(self, uri: str) -> Place:
        """Where a job has left what it made."""
        address = S3Address.parse_uri(uri).as_folder()
        return Prefix(address.bucket, address.key)

    def _read_states(self, recipe: Recipe) -> dict[str, Any]:
        definition = read_live_definition(self.deployment.state_machine_arn(recipe))
        found: dict[str, Any] = json.loads(definition)["States"]
        return found

    def find_place(self, source: Mapping[str, Any]) -> Place | None:
        """Where a channel's data source reads files that a run brings; none for what something else makes.

        That is a set, which the batch door makes, and whatever an execution has made or finds.
        """
        if "S3DataSource" in source:
            if is_jsonata(uri := source["S3DataSource"]["S3Uri"]):
                return None
            address = S3Address.parse(uri)
            return Prefix(address.bucket, address.key) if address.bucket == self.raw_bucket else None
        mount = source["FileSystemDataSource"]
        path = mount["DirectoryPath"]
        if is_jsonata(path):
            # An execution makes the file system, which shows the raw bucket from its root on.
            added = json.loads(path[2:-2].rpartition(" & ")[2]).strip("/")
            return Prefix(self.raw_bucket, f"{added}/" if added else "")
        if mount["FileSystemType"] == _FSX_LUSTRE:
            # Without the mount name, which is the first part of every path on FSx for Lustre.
            path = "/" + path.split("/", 2)[2]
        if mount["FileSystemType"] == _FSX_LUSTRE and path.startswith(f"{FSX_RAW_PATH}/"):
            return Prefix(self.raw_bucket, path.removeprefix(f"{FSX_RAW_PATH}/").rstrip("/") + "/")
        return Folder(file_systems.list_folders(self.cloud.root)[mount["FileSystemId"]] / path.lstrip("/"))

    def invoke(self, endpoint_name: str, body: bytes, *, content_type: str, accept: str) -> bytes:
        """What an endpoint answers."""
        return pipeline.invoke_endpoint(endpoint_name, body, content_type=content_type, accept=accept)

    @property
    def raw_bucket(self) -> str:
        """The bucket that raw data goes into."""
        return self.deployment.raw_bucket

    @property
    def delivery(self) -> Delivery:
        """What runs have brought to this local cloud."""
        return Delivery(self.cloud.root)
