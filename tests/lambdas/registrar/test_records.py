import json
from typing import Any, BinaryIO

import pytest

from headrace.provenance import InputFile, dump_inputs
from lambdas.registrar.job_output import JobOutputError
from lambdas.registrar.records import Records
from tests.lambdas.registrar.archives import INPUTS, Stream, pack

MODEL = "s3://work/executions/bigmart/run-1/model/run-1/output/model.tar.gz"
OUTPUT = "executions/bigmart/run-1/model/run-1/output/output.tar.gz"


class FakeS3:
    """S3 as far as records need it."""

    def __init__(self, **objects: bytes) -> None:
        self.objects = objects
        self.types: dict[str, str] = {}

    def list_objects_v2(self, *, Bucket: str, Prefix: str, MaxKeys: int) -> dict[str, Any]:  # noqa: N803
        assert (Bucket, MaxKeys) == ("work", 1)
        found = sorted(key for key in self.objects if key.startswith(Prefix))[:MaxKeys]
        return {"Contents": [{"Key": key} for key in found]} if found else {}

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        assert Bucket == "work"
        return {"Body": Stream(self.objects[Key])}

    def upload_fileobj(self, file: BinaryIO, bucket: str, key: str, *, ExtraArgs: dict[str, str]) -> None:  # noqa: N803
        assert bucket == "work"
        self.objects[key] = file.read()
        self.types[key] = ExtraArgs["ContentType"]


def keep(s3: FakeS3, execution: str = "run-1", model: str = MODEL) -> tuple[str, str]:
    return Records(s3, "work", "executions/bigmart/").keep(execution, model)


def test_keeps_the_record_as_plain_objects() -> None:
    s3 = FakeS3(**{OUTPUT: pack(("inputs.json", INPUTS), ("evaluation.json", b"{}"), ("lists/a/1.lst", b"1"))})

    fingerprint, record = keep(s3)

    assert fingerprint == json.loads(INPUTS)["fingerprint"]
    assert record == "s3://work/executions/bigmart/run-1/record/"
    assert s3.types == {
        "executions/bigmart/run-1/record/inputs.json": "application/json",
        "executions/bigmart/run-1/record/evaluation.json": "application/json",
        "executions/bigmart/run-1/record/lists/a/1.lst": "text/plain",
    }
    assert s3.objects["executions/bigmart/run-1/record/inputs.json"] == INPUTS


@pytest.mark.parametrize(
    "objects",
    [
        {},
        {f"{OUTPUT}.old": b""},
        {OUTPUT: pack(("evaluation.json", b"{}"))},
        {OUTPUT: pack(("inputs.json", b'{"my": "own"}'))},
        {OUTPUT: pack(("inputs.json", INPUTS.replace(b"a.jpg", b"b.jpg")))},
    ],
)
def test_says_so_where_a_job_does_not_say_what_it_has_read(objects: dict[str, bytes]) -> None:
    s3 = FakeS3(**objects)

    assert keep(s3) == ("not recorded", "s3://work/executions/bigmart/run-1/record/")
    assert "executions/bigmart/run-1/record/inputs.json" not in s3.objects


def test_keeps_the_same_when_it_is_asked_again() -> None:
    s3 = FakeS3(**{OUTPUT: pack(("inputs.json", INPUTS))})
    first, objects = keep(s3), dict(s3.objects)

    assert keep(s3) == first
    assert s3.objects == objects


def test_keeps_a_long_record() -> None:
    inputs = dump_inputs({"train": [InputFile(f"{number}.jpg", f"{number:064}", number) for number in range(20_000)]})
    s3 = FakeS3(**{OUTPUT: pack(("inputs.json", inputs))})

    keep(s3)

    assert s3.objects["executions/bigmart/run-1/record/inputs.json"] == inputs


@pytest.mark.parametrize(
    ("execution", "model"),
    [
        ("../run-1", MODEL),
        ("", MODEL),
        ("run-1", "s3://other/executions/bigmart/run-1/model.tar.gz"),
        ("run-1", "s3://work/raw/model.tar.gz"),
        ("run-1", "s3://work/executions/images/run-1/model/run-1/output/model.tar.gz"),
        ("run-1", "s3://work/executions/run-10/model/run-10/output/model.tar.gz"),
        ("run-1", "model.tar.gz"),
    ],
)
def test_refuses_what_is_not_of_an_execution(execution: str, model: str) -> None:
    with pytest.raises(JobOutputError, match="not "):
        keep(FakeS3(), execution, model)


def test_keeps_the_record_of_an_execution_that_began_before_workloads_had_prefixes() -> None:
    s3 = FakeS3(**{"executions/run-1/model/run-1/output/output.tar.gz": pack(("inputs.json", INPUTS))})

    fingerprint, record = keep(s3, model="s3://work/executions/run-1/model/run-1/output/model.tar.gz")

    assert (fingerprint, record) == (json.loads(INPUTS)["fingerprint"], "s3://work/executions/bigmart/run-1/record/")
    assert s3.objects["executions/bigmart/run-1/record/inputs.json"] == INPUTS
