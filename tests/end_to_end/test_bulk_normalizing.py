"""The normalizer's batch door, deployed from its template: whole sets, however often their making is cut off."""

import hashlib
import io
import json
import os
import signal
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from headrace.data import replicate
from headrace.local.platform import pipeline
from headrace.local.platform.pipeline import PipelineError
from headrace.normalizer.normalize import normalize, normalize_to_pixels
from headrace.normalizer.options import Options
from headrace.packed import PackedSet
from tests.end_to_end.conftest import Platform
from tests.patience import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.slow

IMAGES = 1_000
LISTED = 600
SMALL = Options(width=32, height=32)
SMALL_INPUT = {"width": "32", "height": "32"}
BAD = {"images/crowd/0111.jpg": b"", "images/crowd/0555.jpg": b"no image", "images/crowd/0999.jpg": b"\xff\xd8\xff\xe0"}


def make_image(number: int) -> bytes:
    """A small JPEG that differs from all others."""
    encoded = io.BytesIO()
    Image.linear_gradient("L").resize((64, 48)).rotate(number * 0.36).save(encoded, "JPEG")
    return encoded.getvalue()


@dataclass(frozen=True)
class BatchDoor:
    """The deployed door, and what tests do with it."""

    platform: Platform
    s3: Any
    images: dict[str, bytes]

    @property
    def work(self) -> str:
        return self.platform.deployment.outputs["WorkBucketName"]

    @property
    def raw(self) -> str:
        return self.platform.deployment.raw_bucket

    def put(self, objects: dict[str, bytes]) -> None:
        """Put objects into the raw bucket."""
        with ThreadPoolExecutor(8) as threads:
            list(
                threads.map(
                    lambda item: self.s3.put_object(Bucket=self.raw, Key=item[0], Body=item[1]), objects.items()
                )
            )

    def start(self, **request: Any) -> str:
        """Start an execution; its ARN."""
        states = self.platform.client("stepfunctions")
        arn = self.platform.deployment.outputs["NormalizerBulkStateMachineArn"]
        name = f"bulk-{uuid.uuid4().hex[:8]}"
        return str(states.start_execution(stateMachineArn=arn, name=name, input=json.dumps(request))["executionArn"])

    def run(self, **request: Any) -> dict[str, Any]:
        """Run an execution to its end; its output."""
        return pipeline.follow_execution(self.start(**request), lambda _: None).output

    def read(self, name: str, file: str) -> bytes:
        """What lies at the destination of a set."""
        found = self.s3.get_object(Bucket=self.work, Key=f"normalized-sets/{name}/{file}")
        return bytes(found["Body"].read())

    def read_summary(self, name: str) -> dict[str, Any]:
        summary: dict[str, Any] = json.loads(self.read(name, "summary.json"))
        return summary

    def list_versions(self, name: str) -> dict[str, list[str]]:
        """The ETags of all versions of each normalized image of a set, by its path."""
        prefix = f"normalized-sets/{name}/normalized/"
        pages = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.work, Prefix=prefix)
        found: dict[str, list[str]] = {}
        for version in (version for page in pages for version in page.get("Versions", [])):
            found.setdefault(version["Key"].removeprefix(prefix), []).append(version["ETag"].strip('"'))
        return found

    def cut_off(self, name: str, arn: str, count: int, cut: Callable[[str], None]) -> int:
        """Wait for some normalized images of a set and cut its job off; how many there are then."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while len(self.list_versions(name)) < count:
            assert time.monotonic() < deadline
        cut(arn)
        with suppress(PipelineError):
            pipeline.follow_execution(arn, lambda _: None)
        return len(self.list_versions(name))

    def kill(self, arn: str) -> None:
        """Kill the processes of an execution's job."""
        job = arn.rpartition(":")[2]
        (record,) = (path for path in self.platform.cloud.root.rglob("processes/*") if job in path.read_text())
        os.killpg(int(record.name), signal.SIGKILL)

    def stop(self, arn: str) -> None:
        """Stop an execution, and with it its job, politely."""
        self.platform.client("stepfunctions").stop_execution(executionArn=arn, error="Test", cause="stopped by a test")
        waiter = self.platform.client("sagemaker").get_waiter("processing_job_completed_or_stopped")
        waiter.config.delay = 0.1
        waiter.wait(ProcessingJobName=arn.rpartition(":")[2])

    def start_on(self, instances: int, name: str, arguments: list[str]) -> None:
        """Start a job like that of an execution on some instances."""
        sagemaker = self.platform.client("sagemaker")
        (job, *_) = sagemaker.list_processing_jobs(NameContains="bulk-", StatusEquals="Completed")[
            "ProcessingJobSummaries"
        ]
        found = sagemaker.describe_processing_job(ProcessingJobName=job["ProcessingJobName"])
        request = {key: found[key] for key in ("RoleArn", "Environment", "NetworkConfig", "StoppingCondition")}
        cluster = found["ProcessingResources"]["ClusterConfig"] | {"InstanceCount": instances}
        sagemaker.create_processing_job(
            ProcessingJobName=name,
            AppSpecification={"ImageUri": found["AppSpecification"]["ImageUri"], "ContainerArguments": arguments},
            ProcessingResources={"ClusterConfig": cluster},
            **request,
        )

    def await_job(self, name: str) -> dict[str, Any]:
        """What there is to say of a job that has ended."""
        describe = partial(self.platform.client("sagemaker").describe_processing_job, ProcessingJobName=name)
        wait_until(lambda: describe()["ProcessingJobStatus"] != "InProgress", f"the end of {name}")
        return dict(describe())


@pytest.fixture(scope="module")
def door(platform: Platform) -> BatchDoor:
    """The door and a thousand images, a few of them bad."""
    images = {f"images/crowd/{number:04}.jpg": make_image(number) for number in range(IMAGES)} | BAD
    door = BatchDoor(platform, platform.client("s3"), images)
    door.put(images)
    return door


def expect_normalized_images(images: dict[str, bytes]) -> dict[str, list[str]]:
    """One version of each photograph's normalized image, by its path below `images/crowd/`."""
    return {
        key.removeprefix("images/crowd/"): [hashlib.md5(normalize(image, SMALL), usedforsecurity=False).hexdigest()]
        for key, image in images.items()
        if key not in BAD
    }


def test_a_killed_job_goes_on_without_losing_or_repeating_a_normalized_image(door: BatchDoor) -> None:
    request = {"Name": "killed", "Source": "images/crowd/", "Options": SMALL_INPUT}
    made_before = door.cut_off("killed", door.start(**request), IMAGES // 5, door.kill)
    assert door.read_summary("killed")["is_complete"] is False

    with pytest.raises(PipelineError) as failed:
        door.run(**request)

    assert IMAGES // 5 <= made_before < IMAGES - len(BAD)
    assert door.list_versions("killed") == expect_normalized_images(door.images)
    made_after = IMAGES - len(BAD) - made_before
    assert f"{IMAGES} photographs: {made_after} made, {made_before} kept, 3 refused, 0 unavailable" in str(failed.value)
    failures = [json.loads(line) for line in door.read("killed", "failures.jsonl").splitlines()]
    assert {line["key"]: line["code"] for line in failures} == {
        "images/crowd/0111.jpg": "EmptyBody",
        "images/crowd/0555.jpg": "NotAPhotograph",
        "images/crowd/0999.jpg": "PhotographTruncated",
    }


def test_a_second_run_makes_nothing(door: BatchDoor) -> None:
    door.put({"images/few/a.jpg": make_image(1), "images/few/ä b.PNG": make_image(2), "images/few/notes.txt": b""})
    request = {"Name": "few", "Source": "images/few/", "Options": SMALL_INPUT}
    first = door.run(**request)

    second = door.run(**request)

    destination = f"s3://{door.work}/normalized-sets/few/"
    assert (first["Destination"], first["NormalizedImages"]) == (destination, f"{destination}normalized/")
    assert first["Report"] == f"{destination}: 2 photographs: 2 made, 0 kept, 0 refused, 0 unavailable"
    assert second["Report"] == f"{destination}: 2 photographs: 0 made, 2 kept, 0 refused, 0 unavailable"
    assert {path: len(versions) for path, versions in door.list_versions("few").items()} == {
        "a.jpg": 1,
        "ä b.PNG": 1,
    }
    assert door.read_summary("few")["skipped"] == 1


def test_four_instances_make_a_set_once_though_one_of_them_is_killed(door: BatchDoor) -> None:
    door.put({"images/one/a.jpg": make_image(1)})
    door.run(Name="one", Source="images/one/", Options=SMALL_INPUT)
    place = f"s3://{door.work}/normalized-sets/four/"
    arguments = ["--source", f"s3://{door.raw}/images/crowd/", "--destination", place, "--max-refused", "3"]
    arguments += ["--width", "32", "--height", "32", "--connections", "2"]
    jobs = [f"four-{uuid.uuid4().hex[:8]}" for _ in range(2)]

    door.start_on(4, jobs[0], arguments)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while (made_before := len(door.list_versions("four"))) < IMAGES // 5:
        assert time.monotonic() < deadline
    records = [path for path in door.platform.cloud.root.rglob("processes/*") if jobs[0] in path.read_text()]
    os.killpg(int(records[1].name), signal.SIGKILL)
    killed = door.await_job(jobs[0])
    door.start_on(4, jobs[1], arguments)
    ended = door.await_job(jobs[1])

    assert (len(records), killed["ProcessingJobStatus"]) == (4, "Failed")
    assert IMAGES // 5 <= made_before < IMAGES - len(BAD)
    assert ended["ProcessingJobStatus"] == "Completed", ended
    assert f"{place}: {IMAGES} photographs: " in ended["ExitMessage"]
    assert door.list_versions("four") == expect_normalized_images(door.images)
    assert len(door.read("four", "failures.jsonl").splitlines()) == len(BAD)
    reports = [door.read("four", f"instances/{jobs[1]}/0{number}-of-04.json") for number in range(1, 5)]
    assert sum(json.loads(report)["counts"]["photographs"] for report in reports) == IMAGES
    assert door.read_summary("four")["is_complete"] is True


def test_instances_pack_the_set_that_they_make(door: BatchDoor, tmp_path: Path) -> None:
    classed = {f"images/classed/{('a', 'b')[number % 2]}/{number:03}.jpg": make_image(number) for number in range(200)}
    door.put(classed | {"images/one/a.jpg": make_image(1)})
    door.run(Name="one", Source="images/one/", Options=SMALL_INPUT)
    place = f"s3://{door.work}/normalized-sets/packed/"
    arguments = ["--source", f"s3://{door.raw}/images/classed/", "--destination", place, "--packed"]
    name = f"packed-{uuid.uuid4().hex[:8]}"

    door.start_on(2, name, [*arguments, "--width", "32", "--height", "32"])
    ended = door.await_job(name)
    replicate(f"{place}packed/", tmp_path)

    assert ended["ExitMessage"].endswith(f"200 made, 0 kept, 0 refused, 0 unavailable; 200 packed in {place}packed/")
    with PackedSet(tmp_path) as packed:
        packed.verify()
        assert (packed.layout.labels, packed.layout.classes) == (("a", "b"), (100, 100))
        # More than one, so that each instance has written some.
        assert len(packed.layout.shards) == 3
        pixels = packed.read(np.arange(1))
    normalized = normalize_to_pixels(door.read("packed", "normalized/a/000.jpg"), SMALL)
    assert np.array_equal(pixels[0, :, :, 0], np.asarray(normalized))


def test_a_stopped_job_of_a_manifest_goes_on(door: BatchDoor) -> None:
    keys = [key for key in door.images if key not in BAD][:LISTED]
    lines = [json.dumps({"source-ref": f"s3://{door.raw}/{key}", "class": 3}) for key in keys]
    door.put({"images/lists/train.manifest": "\n".join(lines).encode()})
    request = {"Name": "listed", "Manifest": "images/lists/train.manifest", "Options": SMALL_INPUT}
    made_before = door.cut_off("listed", door.start(**request), 50, door.stop)

    output = door.run(**request)

    assert 50 <= made_before < LISTED
    assert f": {LISTED - made_before} made, {made_before} kept, 0 refused" in output["Report"]
    assert {len(versions) for versions in door.list_versions("listed").values()} == {1}
    normalized = [json.loads(line) for line in door.read("listed", "normalized.manifest").splitlines()]
    assert normalized == [{"source-ref": f"{output['NormalizedImages']}{door.raw}/{key}", "class": 3} for key in keys]
    assert door.read("listed", f"normalized/{door.raw}/{keys[7]}") == normalize(door.images[keys[7]], SMALL)


def test_an_input_that_is_wrong_starts_no_job(door: BatchDoor) -> None:
    with pytest.raises(
        PipelineError, match="InvalidInput: Source: found photographs/; allowed: a prefix that ends with"
    ):
        door.run(Name="few", Source="photographs/")


def test_an_option_that_is_wrong_fails_the_job_in_its_own_words(door: BatchDoor) -> None:
    with pytest.raises(PipelineError, match="Normalize: width is 'wide', which is not a whole number"):
        door.run(Name="wide", Source="images/few/", Options={"width": "wide"})
