"""Training jobs that read their channels through pipes."""

import json
from typing import Any

import pytest

from headrace.recordio.framing import frame_record
from tests.headrace.local.sagemaker.cloud import Cloud, s3_channel
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

LOG = "/aws/sagemaker/TrainingJobs"
PIPE = {"TrainingInputMode": "Pipe"}
PRINT_TWO_EPOCHS = """
    for epoch in range(2):
        print((ml / f'input/data/train_{epoch}').read_bytes().hex())
"""
READ_A_BYTE = """
    pipe = open(ml / 'input/data/train_0', 'rb')
    pipe.read(1)
    print('reading')
"""


def augmented(uri: str = "s3://raw/train.manifest", **changes: Any) -> dict[str, Any]:
    channel = s3_channel(uri, data_type="AugmentedManifestFile", RecordWrapperType="RecordIO", **changes)
    channel["DataSource"]["S3DataSource"]["AttributeNames"] = ["source-ref", "class"]
    return channel


def put_scenes(cloud: Cloud, count: int = 3) -> None:
    for number in range(count):
        cloud.s3.put("raw", f"{number}.jpg", f"picture {number}".encode())
    lines = [{"class": number, "source-ref": f"s3://raw/{number}.jpg"} for number in range(count)]
    cloud.s3.put("raw", "train.manifest", "\n".join(map(json.dumps, lines)).encode())


def read_log(cloud: Cloud) -> list[bytes]:
    return [bytes.fromhex(line) for line in cloud.logs.lines(LOG)]


def put_parts(cloud: Cloud) -> None:
    for name in ("a", "b", "c"):
        cloud.s3.put("raw", f"train/{name}", f"{name}\n".encode())
    cloud.s3.put("raw", "list", b'[{"prefix": "s3://raw/train/"}, "c", "a"]')


@pytest.mark.parametrize(
    ("channel", "sent"),
    [
        (s3_channel("s3://raw/train/"), b"a\nb\nc\n"),
        (s3_channel("s3://raw/list", data_type="ManifestFile"), b"c\na\n"),
    ],
)
def test_streams_the_objects_of_a_channel_in_every_epoch(cloud: Cloud, channel: dict[str, Any], sent: bytes) -> None:
    put_parts(cloud)

    job = cloud.train_to_end(cloud.push_image(PRINT_TWO_EPOCHS), algorithm=PIPE, InputDataConfig=[channel])

    assert job["TrainingJobStatus"] == "Completed"
    assert read_log(cloud) == [sent, sent]
    assert cloud.list_trees() == []


def test_streams_an_augmented_manifest_as_records_in_the_order_of_its_attributes(cloud: Cloud) -> None:
    put_scenes(cloud)

    job = cloud.train_to_end(
        cloud.push_image(PRINT_TWO_EPOCHS), InputDataConfig=[augmented(InputMode="Pipe", ShuffleConfig={"Seed": 3})]
    )

    pairs = [frame_record(f"picture {number}".encode()) + frame_record(str(number).encode()) for number in range(3)]
    first, second = read_log(cloud)
    assert job["TrainingJobStatus"] == "Completed"
    assert all(epoch.count(pair) == 1 for epoch in (first, second) for pair in pairs)
    assert len(first) == len(second) == sum(map(len, pairs))


def test_tells_the_program_that_the_channel_is_a_pipe(cloud: Cloud) -> None:
    put_scenes(cloud)
    program = "print(json.loads((ml / 'input/config/inputdataconfig.json').read_text())['train'])"

    cloud.train_to_end(cloud.push_image(f"import json\n{program}"), algorithm=PIPE, InputDataConfig=[augmented()])

    (line,) = cloud.logs.lines(LOG)
    assert "'TrainingInputMode': 'Pipe'" in line
    assert "'RecordWrapperType': 'RecordIO'" in line


@pytest.mark.parametrize(
    "program",
    [
        "print('never opens it')",
        READ_A_BYTE,
        READ_A_BYTE + "    os.kill(os.getpid(), 9)",
        "(ml / 'input/data/train_0').unlink()",
        "import shutil\nshutil.rmtree(ml / 'input')",
    ],
)
def test_ends_whatever_the_program_does_with_its_pipe(cloud: Cloud, program: str) -> None:
    cloud.s3.put("raw", "train/a", b"x" * (1 << 22))

    job = cloud.train_to_end(cloud.push_image(program), algorithm=PIPE, InputDataConfig=[s3_channel("s3://raw/train/")])

    assert job["TrainingJobStatus"] == ("Failed" if "kill" in program else "Completed")
    assert cloud.list_trees() == []
    assert cloud.list_records() == []


def test_stops_while_the_program_reads_no_more(cloud: Cloud) -> None:
    cloud.s3.put("raw", "train/a", b"x" * (1 << 22))
    program = READ_A_BYTE + "    import signal\n    signal.pause()"
    cloud.train(cloud.push_image(program), algorithm=PIPE, InputDataConfig=[s3_channel("s3://raw/train/")])
    cloud.await_line("reading")

    cloud.call("StopTrainingJob", TrainingJobName="job")

    assert cloud.sagemaker.wait("TrainingJob", "job")["TrainingJobStatus"] == "Stopped"


def test_fails_when_an_object_of_the_channel_is_gone(cloud: Cloud) -> None:
    put_scenes(cloud)
    del cloud.s3.buckets["raw"]["1.jpg"]
    program = f"(ml / 'input/data/train_0').read_bytes(); import time; time.sleep({PATIENCE_SECONDS})"

    job = cloud.train_to_end(cloud.push_image(program), algorithm=PIPE, InputDataConfig=[augmented()])

    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == 'ClientError: Data download failed: there is no S3 object "s3://raw/1.jpg".'


@pytest.mark.parametrize(
    ("channel", "reason"),
    [
        (s3_channel("s3://raw/absent/"), "No S3 objects found"),
        (s3_channel("s3://raw/absent", data_type="ManifestFile"), "there is no S3 object"),
        (augmented("s3://raw/empty"), "has no lines"),
    ],
)
def test_fails_before_the_program_starts_when_there_is_nothing_to_send(
    cloud: Cloud, channel: dict[str, Any], reason: str
) -> None:
    cloud.s3.put("raw", "empty", b"\n")

    job = cloud.train_to_end(cloud.push_image("print('started')"), algorithm=PIPE, InputDataConfig=[channel])

    assert reason in job["FailureReason"]
    assert cloud.logs.lines(LOG) == []
