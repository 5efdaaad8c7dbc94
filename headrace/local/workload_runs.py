"""What a local run does around the pipeline: brings a workload's data, and asks its endpoint about some of it."""

import csv
import io
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import boto3

from headrace import bigmart, lst, pictures
from headrace.contract import FSX_RAW_PATH, Workload
from headrace.local import file_systems
from headrace.local.cloud import LocalCloud
from headrace.local.deployment import Deployment
from headrace.local.pipeline import invoke_endpoint

ASKED: Final = 5
Item = TypeVar("Item")
_FSX_LUSTRE: Final = "FSxLustre"


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """One thing the endpoint was asked about, what it answered and, where it is known, the truth."""

    asked: str
    predicted: float | str
    actual: float | str | None


class WorkloadRun(Protocol):
    """A workload with the data of one run."""

    workload: Workload
    data: str

    def bring_data(self, cloud: LocalCloud, deployment: Deployment) -> None:
        """Put the data where the pipeline reads it, in place of what is there."""

    def ask_endpoint(self, endpoint_name: str) -> list[Prediction]:
        """Ask the endpoint about some of the data, as a client would."""


class BigMartRun:
    """A file of Big Mart sales, made up where none is given."""

    workload = Workload.BIG_MART

    def __init__(self, given: Path | None, scratch: Path) -> None:
        self.data = str(given) if given else "made up"
        self._file = given or scratch / "made_up_sales.csv"
        if given is None:
            scratch.mkdir(parents=True, exist_ok=True)
            bigmart.write_csv(self._file)

    def bring_data(self, _cloud: LocalCloud, deployment: Deployment) -> None:
        """Put the file into the raw bucket, in place of all other rows."""
        replace_objects(deployment.raw_bucket, self.workload.raw_prefix, {self._file.name: self._file})

    def ask_endpoint(self, endpoint_name: str) -> list[Prediction]:
        """Ask about a few rows, spread over the file."""
        with self._file.open(newline="", encoding="utf-8") as file:
            rows = spread(list(csv.DictReader(file)))
        answer = invoke_endpoint(endpoint_name, to_csv(rows), content_type="text/csv", accept="application/json")
        return [
            Prediction(
                asked=f"{row['Item_Identifier']} at {row['Outlet_Identifier']}",
                predicted=float(value),
                actual=float(row[bigmart.COLUMNS[-1]]) if row.get(bigmart.COLUMNS[-1]) else None,
            )
            for row, value in zip(rows, json.loads(answer)["predictions"], strict=True)
        ]


class ImagesRun:
    """A folder of pictures with a sub-folder for each class, made up where none is given."""

    workload = Workload.IMAGES

    def __init__(self, given: Path | None, scratch: Path) -> None:
        self.data = str(given) if given else "made up"
        self._folder = given or scratch / "made_up_pictures"
        if given is None and not self._folder.exists():
            scratch.mkdir(parents=True, exist_ok=True)
            pictures.make_pictures(self._folder)
        self._lists = scratch / "lists"
        self._classes, self._train, self._validation = lst.make_lists(self._folder)

    def bring_data(self, cloud: LocalCloud, deployment: Deployment) -> None:
        """Put pictures and lists where the deployed job reads them: in channels, or behind the normalizer."""
        # Not above: an installed package has the commands and their help, but only a checkout has the containers.
        from containers.image_training import contract as image_training

        lst.write_lst(self._lists / "train.lst", self._train)
        lst.write_lst(self._lists / "validation.lst", self._validation)
        (self._lists / "classes.txt").write_text("".join(f"{name}\n" for name in self._classes), encoding="utf-8")
        images = {row.path: self._folder / row.path for row in (*self._train, *self._validation)}
        files = {
            image_training.TRAIN_CHANNEL: images,
            image_training.VALIDATION_CHANNEL: images,
            image_training.TRAIN_LIST_CHANNEL: self._pick("train.lst", "classes.txt"),
            image_training.VALIDATION_LIST_CHANNEL: self._pick("validation.lst"),
        }
        request = read_training_request(deployment, self.workload)
        delivered = set()
        for channel in request["InputDataConfig"]:
            source = json.dumps(channel["DataSource"], sort_keys=True)
            if source not in delivered:
                deliver(cloud, deployment, channel["DataSource"], files[channel["ChannelName"]])
                delivered.add(source)
        if image_training.IMAGES_PREFIX_VARIABLE in request.get("Environment", {}):
            # The normalizer reads the raw bucket.
            prefix = request["Environment"][image_training.IMAGES_PREFIX_VARIABLE]
            replace_objects(deployment.raw_bucket, prefix, images)

    def ask_endpoint(self, endpoint_name: str) -> list[Prediction]:
        """Post a few of the held-out pictures."""
        return [self._ask(endpoint_name, row) for row in spread(self._validation)]

    def _ask(self, endpoint_name: str, row: lst.ListRow) -> Prediction:
        picture = (self._folder / row.path).read_bytes()
        answer = invoke_endpoint(endpoint_name, picture, content_type="application/x-image", accept="application/json")
        best = json.loads(answer)["predictions"][0]
        return Prediction(
            asked=row.path,
            predicted=f"{best['label']} ({best['probability']:.2f})",
            actual=self._classes[row.label],
        )

    def _pick(self, *names: str) -> dict[str, Path]:
        return {name: self._lists / name for name in names}


RUNS: Final[dict[Workload, type[BigMartRun] | type[ImagesRun]]] = {
    Workload.BIG_MART: BigMartRun,
    Workload.IMAGES: ImagesRun,
}


def read_training_request(deployment: Deployment, workload: Workload) -> dict[str, Any]:
    """What the deployed state machine asks of SageMaker for training."""
    states: Any = boto3.client("stepfunctions")
    machine = states.describe_state_machine(stateMachineArn=deployment.state_machine_arn(workload))
    request: dict[str, Any] = json.loads(machine["definition"])["States"]["Train"]["Arguments"]
    return request


def deliver(cloud: LocalCloud, deployment: Deployment, source: Mapping[str, Any], files: Mapping[str, Path]) -> None:
    """Put files where a channel's data source reads them, in place of what is there."""
    if "S3DataSource" in source:
        bucket, _, prefix = source["S3DataSource"]["S3Uri"].removeprefix("s3://").partition("/")
        # A set in the work bucket is there already, or the batch door has yet to make it.
        if bucket == deployment.raw_bucket:
            replace_objects(bucket, prefix, files)
        return
    mount = source["FileSystemDataSource"]
    path = mount["DirectoryPath"]
    if mount["FileSystemType"] == _FSX_LUSTRE:
        # Without the mount name, which is the first part of every path on FSx for Lustre.
        path = "/" + path.split("/", 2)[2]
    if mount["FileSystemType"] == _FSX_LUSTRE and path.startswith(f"{FSX_RAW_PATH}/"):
        prefix = path.removeprefix(f"{FSX_RAW_PATH}/").rstrip("/") + "/"
        replace_objects(deployment.raw_bucket, prefix, files)
        return
    folder = file_systems.list_folders(cloud.root)[mount["FileSystemId"]] / path.lstrip("/")
    folder.mkdir(parents=True, exist_ok=True)
    for name, file in files.items():
        (folder / name).write_bytes(file.read_bytes())


def replace_objects(bucket: str, prefix: str, files: Mapping[str, Path]) -> None:
    """Make these files the only objects below a prefix."""
    s3: Any = boto3.client("s3")
    for name, file in files.items():
        s3.upload_file(str(file), bucket, prefix + name)
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for found in itertools.chain.from_iterable(page.get("Contents", []) for page in pages):
        if found["Key"].removeprefix(prefix) not in files:
            s3.delete_object(Bucket=bucket, Key=found["Key"])


def to_csv(rows: Sequence[Mapping[str, str]]) -> bytes:
    """Rows as CSV with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def spread(items: Sequence[Item]) -> list[Item]:
    """A few of the items, spread over all of them."""
    return list(items[:: max(1, len(items) // ASKED)][:ASKED])
