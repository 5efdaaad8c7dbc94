"""Objects split into requests, and answers put together again."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.local.sagemaker import SageMakerError
from headrace.local.sagemaker.errors import JobDataError
from headrace.local.sagemaker.transforming import MIB, Batching, check_transform_job


def make_request(*, source: Any = None, made: Any = None, **changes: Any) -> dict[str, Any]:
    data = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://raw/in"}}
    return {
        "TransformJobName": "job",
        "ModelName": "model",
        "TransformInput": {"DataSource": data, "ContentType": "text/csv", "SplitType": "Line", **(source or {})},
        "TransformOutput": {
            "S3OutputPath": "s3://work/out",
            "Accept": "text/csv",
            "AssembleWith": "Line",
            **(made or {}),
        },
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
        **changes,
    }


def echo(body: bytes) -> bytes:
    return body.upper() + b"\n"


@pytest.mark.parametrize("content", [b"a\nb\nc", b"a\nb\nc\n", b"a\r\nb\r\nc\r\n"])
def test_sends_several_records_at_once(content: bytes) -> None:
    asked: list[bytes] = []

    made = Batching.of(make_request()).transform(content, lambda body: asked.append(body) or echo(body))  # type: ignore[func-returns-value]

    assert (asked, made) == ([b"a\nb\nc"], b"A\nB\nC\n")


def test_sends_one_record_at_a_time() -> None:
    batching = Batching.of(make_request(BatchStrategy="SingleRecord"))

    assert list(batching.divide(b"a\nb\n")) == [[b"a"], [b"b"]]


def test_sends_what_is_not_split_as_it_is() -> None:
    batching = Batching.of(make_request(source={"SplitType": "None"}, made={"AssembleWith": "None"}))

    assert batching.transform(b"a\nb\n", lambda body: body) == b"a\nb\n"


@given(
    st.lists(
        st.binary(min_size=1, max_size=400_000).map(lambda raw: raw.replace(b"\n", b"").replace(b"\r", b"")),
        max_size=12,
    )
)
def test_keeps_each_request_below_its_bound_and_every_record(records: list[bytes]) -> None:
    batching = Batching.of(make_request(MaxPayloadInMB=1))

    batches = list(batching.divide(b"".join(record + b"\n" for record in records)))

    assert [record for batch in batches for record in batch] == records
    assert all(len(b"\n".join(batch)) <= MIB for batch in batches)


def test_refuses_a_record_that_is_larger_than_a_request() -> None:
    with pytest.raises(JobDataError, match="larger than MaxPayloadInMB, 1 MB"):
        list(Batching.of(make_request(MaxPayloadInMB=1)).divide(b"x" * (MIB + 1)))


def test_joins_rows_with_their_answers() -> None:
    batching = Batching.of(make_request(DataProcessing={"JoinSource": "Input"}))

    assert batching.transform(b"1,2\n3,4\n", lambda _: b"0.5\n0.7\n") == b"1,2,0.5\n3,4,0.7\n"


def test_joins_objects_with_their_answers() -> None:
    kind = "application/jsonlines"
    batching = Batching.of(
        make_request(source={"ContentType": kind}, made={"Accept": kind}, DataProcessing={"JoinSource": "Input"})
    )

    made = batching.transform(b'{"a": 1}\n[2]\n', lambda _: b"0.5\n[1]\n")

    assert [json.loads(line) for line in made.splitlines()] == [
        {"a": 1, "SageMakerOutput": 0.5},
        {"SageMakerInput": [2], "SageMakerOutput": [1]},
    ]


@pytest.mark.parametrize(("answer", "reason"), [(b"1\n", "answered 2 records with 1 lines"), (b"x\ny\n", "not JSON")])
def test_refuses_answers_that_cannot_be_joined(answer: bytes, reason: str) -> None:
    kind = "application/jsonlines"
    batching = Batching.of(
        make_request(source={"ContentType": kind}, made={"Accept": kind}, DataProcessing={"JoinSource": "Input"})
    )

    with pytest.raises(JobDataError, match=reason):
        batching.transform(b"1\n2\n", lambda _: answer)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": {"SplitType": "RecordIO"}}, "SplitType RecordIO is not served"),
        ({"source": {"CompressionType": "Gzip"}}, "CompressionType Gzip is not served"),
        ({"BatchStrategy": "MultiRecord", "source": {"SplitType": "None"}}, "needs a SplitType other than None"),
        ({"MaxPayloadInMB": 60, "MaxConcurrentTransforms": 2}, "must not exceed 100 MB"),
        ({"DataProcessing": {"InputFilter": "$[1:]"}}, "InputFilter is not served"),
        ({"DataProcessing": {"JoinSource": "Input"}, "made": {"AssembleWith": "None"}}, "needs SplitType Line and"),
        (
            {"DataProcessing": {"JoinSource": "Input"}, "made": {"Accept": "application/jsonlines"}},
            "needs one ContentType",
        ),
        ({"DataCaptureConfig": {"DestinationS3Uri": "s3://work/c"}}, "DataCaptureConfig is not served"),
    ],
)
def test_refuses_a_transform_job(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(SageMakerError, match=message):
        check_transform_job(make_request(**changes))
