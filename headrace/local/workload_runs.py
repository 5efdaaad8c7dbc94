"""What a local run does around the pipeline: brings a workload's data, and asks its endpoint about some of it."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import boto3

from headrace import lst
from headrace.contract import FSX_RAW_PATH
from headrace.local import file_systems
from headrace.local.cloud import LocalCloud
from headrace.local.deployment import Deployment
from headrace.local.pipeline import invoke_endpoint
from headrace.recipes import Recipe, big_mart, images
from headrace.s3.addresses import S3Address
from headrace.workloads import photographs, sales
from headrace.workloads.delivery import Delivery, Folder, Place, Prefix, refuse_foreign

ASKED: Final = 5
Item = TypeVar("Item")
_FSX_LUSTRE: Final = "FSxLustre"
_PICTURES: Final = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})


@dataclass(frozen=True, kw_only=True)
class Prediction:
    """One thing the endpoint was asked about, what it answered and, where it is known, the truth."""

    asked: str
    predicted: float | str
    actual: float | str | None


class WorkloadRun(Protocol):
    """A workload with the data of one run."""

    workload: Recipe
    data: str

    def bring_data(self, cloud: LocalCloud, deployment: Deployment) -> None:
        """Put the data where the pipeline reads it, in place of what earlier runs put there.

        Raises:
            ForeignDataError: If somebody else has put some there.
        """

    def ask_endpoint(self, endpoint_name: str) -> list[Prediction]:
        """Ask the endpoint about some of the data, as a client would."""


class BigMartRun:
    """A file of Big Mart sales, made up where none is given."""

    workload = big_mart.RECIPE

    def __init__(self, given: Path | None, scratch: Path) -> None:
        self.data = str(given) if given else "made up"
        self._given = given is not None
        self._scratch = scratch
        self._file = given or scratch / "made_up_sales.csv"
        if given is None:
            scratch.mkdir(parents=True, exist_ok=True)
            sales.write_csv(self._file)

    def bring_data(self, cloud: LocalCloud, deployment: Deployment) -> None:
        """Put the file into the raw bucket, in place of what earlier runs put there.

        Without a file of one's own, what somebody else has put there is used instead of made-up rows.
        """
        place = Prefix(deployment.raw_bucket, self.workload.raw_prefix)
        delivery = Delivery(cloud.root)
        foreign = delivery.find_foreign([place], matters=lambda name: name.lower().endswith(".csv"))
        if foreign and not self._given:
            self.data = place.address
            self._file = _fetch(place, foreign[place][0], self._scratch / "asked.csv")
            return
        refuse_foreign(foreign)
        delivery.bring(place, {self._file.name: self._file})

    def ask_endpoint(self, endpoint_name: str) -> list[Prediction]:
        """Ask about a few rows, spread over the file."""
        rows = spread(read_rows(self._file))
        answer = invoke_endpoint(endpoint_name, to_csv(rows), content_type="text/csv", accept="application/json")
        return [
            Prediction(
                asked=f"{row['Item_Identifier']} at {row['Outlet_Identifier']}",
                predicted=float(value),
                actual=float(row[sales.COLUMNS[-1]]) if row.get(sales.COLUMNS[-1]) else None,
            )
            for row, value in zip(rows, json.loads(answer)["predictions"], strict=True)
        ]


class ImagesRun:
    """A folder of pictures with a sub-folder for each class, made up where none is given."""

    workload = images.RECIPE

    def __init__(self, given: Path | None, scratch: Path) -> None:
        self.data = str(given) if given else "made up"
        self._given = given is not None
        self._uses_others = False
        self._pictures: Place | None = None
        self._folder = given or scratch / "made_up_pictures"
        if given is None and not self._folder.exists():
            scratch.mkdir(parents=True, exist_ok=True)
            photographs.make_pictures(self._folder)
        self._lists = scratch / "lists"
        self._classes, self._train, self._validation = lst.make_lists(self._folder)

    def bring_data(self, cloud: LocalCloud, deployment: Deployment) -> None:
        """Put pictures and lists where the deployed job reads them: in channels, or behind the normalizer.

        Without pictures of one's own, what somebody else has put there is used instead of made-up ones.
        """
        request = read_training_request(deployment, self.workload)
        files = self._sort_files(cloud, deployment, request)
        delivery = Delivery(cloud.root)
        foreign = delivery.find_foreign(files)
        if foreign and not self._given:
            self.data = ", ".join(place.address for place in foreign)
            self._uses_others = True
            self._pictures = next(
                (place for place, named in files.items() if named.keys() & self._images().keys()), None
            )
            return
        refuse_foreign(foreign)
        for place, named in files.items():
            delivery.bring(place, named)

    def _sort_files(
        self, cloud: LocalCloud, deployment: Deployment, request: Mapping[str, Any]
    ) -> dict[Place, dict[str, Path]]:
        """The files that go to each place that the job reads."""
        # Not above: an installed package has the commands and their help, but only a checkout has the containers.
        from containers.image_training import contract as image_training

        self._write_lists()
        files = {
            image_training.TRAIN_CHANNEL: self._images(),
            image_training.VALIDATION_CHANNEL: self._images(),
            image_training.TRAIN_LIST_CHANNEL: self._pick("train.lst", "classes.txt"),
            image_training.VALIDATION_LIST_CHANNEL: self._pick("validation.lst"),
        }
        sorted_files: dict[Place, dict[str, Path]] = {}
        for channel in request["InputDataConfig"]:
            if place := find_place(cloud, deployment, channel["DataSource"]):
                sorted_files.setdefault(place, {}).update(files[channel["ChannelName"]])
        if image_training.IMAGES_PREFIX_VARIABLE in request.get("Environment", {}):
            # The normalizer reads the raw bucket.
            prefix = request["Environment"][image_training.IMAGES_PREFIX_VARIABLE]
            sorted_files.setdefault(Prefix(deployment.raw_bucket, prefix), {}).update(self._images())
        return sorted_files

    def _images(self) -> dict[str, Path]:
        return {row.path: self._folder / row.path for row in (*self._train, *self._validation)}

    def _write_lists(self) -> None:
        lst.write_lst(self._lists / "train.lst", self._train)
        lst.write_lst(self._lists / "validation.lst", self._validation)
        (self._lists / "classes.txt").write_text("".join(f"{name}\n" for name in self._classes), encoding="utf-8")

    def ask_endpoint(self, endpoint_name: str) -> list[Prediction]:
        """Post a few of the held-out pictures, or of those that were there."""
        if self._uses_others:
            return self._ask_others(endpoint_name)
        return [
            self._ask(endpoint_name, row.path, (self._folder / row.path).read_bytes(), self._classes[row.label])
            for row in spread(self._validation)
        ]

    def _ask_others(self, endpoint_name: str) -> list[Prediction]:
        place = self._pictures
        names = sorted(place.list_files()) if place else []
        pictures = [name for name in names if Path(name).suffix.lower() in _PICTURES]
        return [self._ask(endpoint_name, name, place.read(name), None) for name in spread(pictures) if place]

    def _ask(self, endpoint_name: str, name: str, picture: bytes, actual: str | None) -> Prediction:
        answer = invoke_endpoint(endpoint_name, picture, content_type="application/x-image", accept="application/json")
        best = json.loads(answer)["predictions"][0]
        return Prediction(asked=name, predicted=f"{best['label']} ({best['probability']:.2f})", actual=actual)

    def _pick(self, *names: str) -> dict[str, Path]:
        return {name: self._lists / name for name in names}


RUNS: Final[dict[Recipe, type[BigMartRun] | type[ImagesRun]]] = {
    big_mart.RECIPE: BigMartRun,
    images.RECIPE: ImagesRun,
}


def read_training_request(deployment: Deployment, workload: Recipe) -> dict[str, Any]:
    """What the deployed state machine asks of SageMaker for training."""
    states: Any = boto3.client("stepfunctions")
    machine = states.describe_state_machine(stateMachineArn=deployment.state_machine_arn(workload))
    request: dict[str, Any] = json.loads(machine["definition"])["States"]["Train"]["Arguments"]
    return request


def find_place(cloud: LocalCloud, deployment: Deployment, source: Mapping[str, Any]) -> Place | None:
    """Where a channel's data source reads files that a run brings; none for a set, which the batch door makes."""
    if "S3DataSource" in source:
        address = S3Address.parse(source["S3DataSource"]["S3Uri"])
        return Prefix(address.bucket, address.key) if address.bucket == deployment.raw_bucket else None
    mount = source["FileSystemDataSource"]
    path = mount["DirectoryPath"]
    if mount["FileSystemType"] == _FSX_LUSTRE:
        # Without the mount name, which is the first part of every path on FSx for Lustre.
        path = "/" + path.split("/", 2)[2]
    if mount["FileSystemType"] == _FSX_LUSTRE and path.startswith(f"{FSX_RAW_PATH}/"):
        return Prefix(deployment.raw_bucket, path.removeprefix(f"{FSX_RAW_PATH}/").rstrip("/") + "/")
    return Folder(file_systems.list_folders(cloud.root)[mount["FileSystemId"]] / path.lstrip("/"))


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file, read by the rules of the job that has read it before."""
    # Not above: an installed package has the commands and their help, but only a checkout has the containers.
    from containers.preprocessing.csv_text import read_records

    records = read_records(path)
    header = next(records)
    return [dict(zip(header, record, strict=False)) for record in records]


def _fetch(place: Place, name: str, file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(place.read(name))
    return file


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
