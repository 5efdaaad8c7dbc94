"""Jobs of several instances: a program for each, with its own files, name and part of the data."""

import json
import os
from typing import Any

import pytest

from headrace.local.sagemaker.launcher_command import can_place
from tests.headrace.local.sagemaker.cloud import Cloud, find_training_jobs, is_running, s3_channel
from tests.headrace.local.sagemaker.kinds.test_training_jobs import read_members
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

THREE: dict[str, Any] = {"ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 3, "VolumeSizeInGB": 10}}
PROCESSING_THREE: dict[str, Any] = {"ProcessingResources": {"ClusterConfig": THREE["ResourceConfig"]}}
WHO = """
    import json, time
    config = ml / ('config' if (ml / 'config').is_dir() else 'input/config')
    resources = json.loads((config / 'resourceconfig.json').read_text())
    host, hosts = resources['current_host'], resources['hosts']
"""
RUN_ON = WHO + f"    print(host, 'runs as', os.getpid())\n    time.sleep({PATIENCE_SECONDS})\n"


def read_streams(cloud: Cloud, group: str = "/aws/sagemaker/TrainingJobs") -> dict[str, list[str]]:
    """The lines of each instance."""
    return {
        stream.partition("/")[2].rpartition("-")[0]: [event["message"] for event in events]
        for (name, stream), events in cloud.logs.streams.items()
        if name == group
    }


def list_programs(cloud: Cloud) -> list[int]:
    """The process of each instance of a job of three, as soon as all run."""
    cloud.logs.await_line("runs as", 3)
    return [int(line.rpartition(" ")[2]) for line in cloud.logs.lines("/aws/sagemaker/TrainingJobs") if "runs" in line]


def put_parts(cloud: Cloud, count: int = 7) -> None:
    for number in range(count):
        cloud.s3.put("raw", f"train/{number}", f"{number}".encode())


def sharded(**changes: Any) -> dict[str, Any]:
    channel = s3_channel("s3://raw/train/", **changes)
    channel["DataSource"]["S3DataSource"]["S3DataDistributionType"] = "ShardedByS3Key"
    return channel


def test_runs_a_program_for_each_with_its_name_and_those_of_all(cloud: Cloud) -> None:
    cloud.train_to_end(cloud.push_image(WHO + "    print(host, *hosts)"), **THREE)

    hosts = ["algo-1", "algo-2", "algo-3"]
    assert read_streams(cloud) == {host: [" ".join([host, *hosts])] for host in hosts}
    assert cloud.list_trees() == []
    assert cloud.list_records() == []


def test_gives_each_an_address_under_its_name(cloud: Cloud) -> None:
    if not can_place():
        pytest.skip("this machine allows no mounts, so no names can be resolved")
    program = (
        WHO
        + """
    import socket
    given = dict(pair.split('=') for pair in os.environ['HEADRACE_HOSTS'].split(','))
    assert {name: socket.gethostbyname(name) for name in hosts} == given, given
    server = socket.create_server((host, 4321))
    print('address', given[host])
    """
    )

    job = cloud.train_to_end(cloud.push_image(program), **THREE)

    lines = [line for stream in read_streams(cloud).values() for line in stream]
    assert job["TrainingJobStatus"] == "Completed", job
    assert len(set(lines)) == 3


@pytest.mark.parametrize(
    ("mode", "read"),
    [
        ("File", "*(path.name for path in sorted((ml / 'input/data/train').iterdir()))"),
        ("Pipe", "*(ml / 'input/data/train_0').read_text()"),
    ],
)
def test_gives_each_its_part_of_a_sharded_channel_and_all_of_another(cloud: Cloud, mode: str, read: str) -> None:
    put_parts(cloud)
    program = WHO + f"    print({read}, '|', len(list((ml / 'input/data/all').iterdir())))"

    cloud.train_to_end(
        cloud.push_image(program),
        InputDataConfig=[sharded(InputMode=mode), s3_channel("s3://raw/train/", "all")],
        **THREE,
    )

    assert read_streams(cloud) == {"algo-1": ["0 3 6 | 7"], "algo-2": ["1 4 | 7"], "algo-3": ["2 5 | 7"]}


def test_gives_an_instance_an_empty_folder_when_there_are_too_few_objects(cloud: Cloud) -> None:
    put_parts(cloud, 2)
    program = "print(len(list((ml / 'input/data/train').iterdir())))"

    cloud.train_to_end(cloud.push_image(program), InputDataConfig=[sharded()], **THREE)

    assert read_streams(cloud)["algo-3"] == ["0"]


def test_stores_what_all_of_them_wrote_as_one_model(cloud: Cloud) -> None:
    program = (
        WHO
        + """
    (ml / 'model' / host).mkdir()
    (ml / 'model' / host / 'part').write_text(host)
    (ml / 'model' / 'same').write_text(host)
    """
    )

    cloud.train_to_end(cloud.push_image(program), **THREE)

    model = read_members(cloud.s3.buckets["work"]["models/job/output/model.tar.gz"])
    parts = {f"{host}/part": host.encode() for host in ("algo-1", "algo-2", "algo-3")}
    assert model == {**parts, "same": b"algo-1"}
    assert read_streams(cloud)["algo-1"] == [
        f"headrace: same of algo-{number}: not stored, because an instance before it left same" for number in (2, 3)
    ]


def test_fails_with_the_reason_of_the_first_that_fails_and_ends_the_others_at_once(cloud: Cloud) -> None:
    program = (
        WHO
        + """
    if host != 'algo-2':
        time.sleep(3600)
    (ml / 'output/failure').write_text('no rows')
    sys.exit(3)
    """
    )

    job = cloud.train_to_end(cloud.push_image(program), **THREE)

    assert job["FailureReason"] == "AlgorithmError: algo-2: no rows, exit code: 3"
    assert cloud.list_records() == []
    assert cloud.list_trees() == []


def test_fails_when_one_of_them_is_killed(cloud: Cloud) -> None:
    cloud.train(cloud.push_image(RUN_ON), **THREE)
    victim = list_programs(cloud)[-1]

    os.kill(victim, 9)

    job = cloud.sagemaker.wait("TrainingJob", "job")
    assert "SIGKILL ended the program" in job["FailureReason"]
    assert not any(is_running(pid) for pid in list_programs(cloud))


@pytest.mark.parametrize("end", ["stop", "close"])
def test_ends_all_of_them_when_it_is_ended(cloud: Cloud, end: str) -> None:
    cloud.train(cloud.push_image(RUN_ON), **THREE)
    programs = list_programs(cloud)

    if end == "stop":
        cloud.call("StopTrainingJob", TrainingJobName="job")
        assert cloud.sagemaker.wait("TrainingJob", "job")["TrainingJobStatus"] == "Stopped"
    else:
        cloud.sagemaker.close()

    assert not any(is_running(pid) for pid in programs)
    assert cloud.list_trees() == []


def test_ends_all_of_them_when_its_time_is_over(cloud: Cloud) -> None:
    job = cloud.train_to_end(cloud.push_image(RUN_ON), StoppingCondition={"MaxRuntimeInSeconds": 1}, **THREE)

    assert job["SecondaryStatus"] == "MaxRuntimeExceeded"
    assert not any(is_running(pid) for pid in list_programs(cloud))


def test_refuses_more_than_this_machine_is_to_stand_for(cloud: Cloud) -> None:
    with pytest.raises(Exception, match="at most 20 instances of a job"):
        cloud.train(cloud.push_image(""), ResourceConfig=THREE["ResourceConfig"] | {"InstanceCount": 21})


def test_divides_the_inputs_of_a_processing_job_and_collects_its_outputs(cloud: Cloud) -> None:
    put_parts(cloud)
    program = (
        WHO
        + """
    for path in (ml / 'processing/in').iterdir():
        (ml / 'processing/out' / path.name).write_text(host)
    (ml / 'output/message').write_text(f'{host} is done')
    """
    )
    source = {"S3Uri": "s3://raw/train/", "S3DataType": "S3Prefix", "S3InputMode": "File"}
    place = {"S3Uri": "s3://work/out", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}

    job = cloud.process_to_end(
        cloud.push_image(program),
        ProcessingInputs=[
            {
                "InputName": "in",
                "S3Input": source | {"LocalPath": "/opt/ml/processing/in", "S3DataDistributionType": "ShardedByS3Key"},
            }
        ],
        ProcessingOutputConfig={"Outputs": [{"OutputName": "out", "S3Output": place}]},
        **PROCESSING_THREE,
    )

    written = {key: cloud.s3.buckets["work"][key].decode() for key in cloud.s3.keys("work")}
    assert job["ExitMessage"] == "algo-1 is done"
    assert written == {f"out/{number}": f"algo-{number % 3 + 1}" for number in range(7)}


def test_interrupts_all_of_them_and_starts_them_again(cloud: Cloud) -> None:
    program = (
        WHO
        + f"""
    import signal
    mark = ml / 'checkpoints' / host
    if mark.exists():
        sys.exit(0)
    mark.write_text(json.dumps(host))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(host, 'runs as', os.getpid())
    time.sleep({PATIENCE_SECONDS})
    """
    )
    cloud.train(
        cloud.push_image(program),
        EnableManagedSpotTraining=True,
        StoppingCondition={"MaxRuntimeInSeconds": 600, "MaxWaitTimeInSeconds": 600},
        CheckpointConfig={"S3Uri": "s3://work/checkpoints"},
        **THREE,
    )
    list_programs(cloud)

    find_training_jobs(cloud).interrupt("job")

    assert cloud.sagemaker.wait("TrainingJob", "job")["TrainingJobStatus"] == "Completed"
    assert [json.loads(cloud.s3.buckets["work"][key]) for key in cloud.s3.keys("work")] == [
        "algo-1",
        "algo-2",
        "algo-3",
    ]
