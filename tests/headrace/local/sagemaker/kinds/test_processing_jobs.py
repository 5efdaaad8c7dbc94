import json
from pathlib import Path
from typing import Any

import pytest

from headrace.local.sagemaker import SageMakerError, processes
from headrace.local.sagemaker.launcher_command import can_place
from tests.headrace.local.sagemaker.cloud import ROLE, Cloud, is_running

pytestmark = pytest.mark.slow

COPY = """
    for file in (ml / 'processing/input').iterdir():
        (ml / 'processing/out' / file.name).write_text(file.read_text().upper())
"""


def s3_input(uri: str, path: str = "/opt/ml/processing/input", name: str = "raw", **changes: Any) -> dict[str, Any]:
    return {"InputName": name, "S3Input": {"S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix"} | changes}


def s3_output(uri: str, path: str = "/opt/ml/processing/out", mode: str = "EndOfJob") -> dict[str, Any]:
    output = {"S3Uri": uri, "LocalPath": path, "S3UploadMode": mode}
    return {"Outputs": [{"OutputName": "out", "S3Output": output}]}


def test_copies_inputs_in_and_outputs_out(cloud: Cloud) -> None:
    cloud.s3.put("raw", "sales/a.csv", b"a,b")

    job = cloud.process_to_end(
        cloud.push_image(COPY),
        ProcessingInputs=[s3_input("s3://raw/sales")],
        ProcessingOutputConfig=s3_output("s3://work/features"),
    )

    assert job["ProcessingJobStatus"] == "Completed"
    assert cloud.s3.buckets["work"] == {"features/a.csv": b"A,B"}
    assert job["ProcessingEndTime"] >= job["ProcessingStartTime"] >= job["CreationTime"]
    assert cloud.list_trees() == []


def test_encrypts_outputs_with_the_key_of_the_request_and_reports_it(cloud: Cloud) -> None:
    cloud.s3.put("raw", "sales/a.csv", b"a,b")

    job = cloud.process_to_end(
        cloud.push_image(COPY),
        ProcessingInputs=[s3_input("s3://raw/sales")],
        ProcessingOutputConfig={**s3_output("s3://work/features"), "KmsKeyId": "alias/mine"},
    )

    assert job["ProcessingOutputConfig"]["KmsKeyId"] == "alias/mine"
    assert cloud.s3.encryption == {"features/a.csv": {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/mine"}}


def test_runs_a_script_that_came_as_an_input(cloud: Cloud) -> None:
    cloud.s3.put("raw", "code/hello.py", b"import sys; print('hello', *sys.argv[1:])")
    application = {
        "ImageUri": cloud.push_image("raise SystemExit('not this one')"),
        "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/hello.py"],
        "ContainerArguments": ["--seed", "42"],
    }

    cloud.process_to_end(
        "",
        AppSpecification=application,
        ProcessingInputs=[s3_input("s3://raw/code/hello.py", "/opt/ml/processing/input/code")],
    )

    assert cloud.logs.lines("/aws/sagemaker/ProcessingJobs") == ["hello --seed 42"]


def test_writes_the_configuration_files_that_sagemaker_writes(cloud: Cloud) -> None:
    program = """
        for name in ('processingjobconfig', 'resourceconfig'):
            print((ml / 'config' / f'{name}.json').read_text())
    """

    cloud.process_to_end(cloud.push_image(program), Environment={"SEED": "42"})

    job, resources = map(json.loads, cloud.logs.lines("/aws/sagemaker/ProcessingJobs"))
    assert job["ProcessingJobArn"] == "arn:aws:sagemaker:eu-west-1:123456789012:processing-job/job"
    assert job["Environment"] == {"SEED": "42"}
    assert resources["hosts"] == ["algo-1"]


def test_reports_exit_message_and_failure_of_a_program_that_fails(cloud: Cloud) -> None:
    program = """
        (ml / 'output/failure').write_text('no CSV file')
        (ml / 'output/message').write_text('read nothing')
        (ml / 'processing/out/part').write_text('half')
        sys.exit(1)
    """

    job = cloud.process_to_end(cloud.push_image(program), ProcessingOutputConfig=s3_output("s3://work/features"))

    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: no CSV file, exit code: 1"
    assert job["ExitMessage"] == "read nothing"
    assert cloud.s3.keys("work") == []


def test_fails_with_a_client_error_when_an_input_has_no_objects(cloud: Cloud) -> None:
    job = cloud.process_to_end(cloud.push_image(COPY), ProcessingInputs=[s3_input("s3://absent/sales")])

    assert job["FailureReason"].startswith(
        'ClientError: Data download failed: No S3 objects found under S3 URL "s3://absent/sales"'
    )
    assert f'the role "{ROLE}"' in job["FailureReason"]


def test_stops_without_outputs(cloud: Cloud) -> None:
    program = "(ml / 'processing/out/part').write_text('half'); print('ready'); import signal; signal.pause()"
    cloud.process(cloud.push_image(program), ProcessingOutputConfig=s3_output("s3://work/features"))
    cloud.await_line("ready")

    cloud.call("StopProcessingJob", ProcessingJobName="job")

    assert cloud.sagemaker.wait("ProcessingJob", "job")["ProcessingJobStatus"] == "Stopped"
    assert cloud.s3.keys("work") == []


def test_stops_without_outputs_when_the_run_takes_longer_than_allowed(cloud: Cloud) -> None:
    image = cloud.push_image("(ml / 'processing/out/part').write_text('half'); import signal; signal.pause()")

    job = cloud.process_to_end(
        image,
        StoppingCondition={"MaxRuntimeInSeconds": 1},
        ProcessingOutputConfig=s3_output("s3://work/features"),
    )

    assert job["ProcessingJobStatus"] == "Stopped"
    assert cloud.s3.keys("work") == []


def test_tells_in_the_log_that_continuous_outputs_come_at_the_end(cloud: Cloud) -> None:
    output = s3_output("s3://work/features", mode="Continuous")

    cloud.process_to_end(cloud.push_image("pass"), ProcessingOutputConfig=output)

    assert cloud.logs.lines("/aws/sagemaker/ProcessingJobs") == [
        "headrace: outputs with S3UploadMode Continuous are uploaded at the end of the job"
    ]


def test_refuses_a_second_job_of_the_same_name(cloud: Cloud) -> None:
    image = cloud.push_image("pass")
    cloud.process_to_end(image)

    with pytest.raises(SageMakerError, match="ResourceInUse: Processing job names must be unique"):
        cloud.process(image)


def test_refuses_a_folder_outside_of_the_containers_own(cloud: Cloud) -> None:
    image = cloud.push_image("pass")

    with pytest.raises(SageMakerError, match=r'LocalPath "/opt/ml/processing/../x" of raw must be a path below'):
        cloud.process(image, ProcessingInputs=[s3_input("s3://raw/sales", "/opt/ml/processing/../x")])


def test_refuses_to_stop_a_job_that_has_ended(cloud: Cloud) -> None:
    cloud.process_to_end(cloud.push_image("pass"))

    with pytest.raises(SageMakerError, match="processing job is in status Completed"):
        cloud.call("StopProcessingJob", ProcessingJobName="job")


def test_says_that_an_unknown_job_is_not_found(cloud: Cloud) -> None:
    with pytest.raises(SageMakerError, match=r"Requested resource not found\."):
        cloud.sagemaker.wait("ProcessingJob", "absent")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="orphans are found in /proc")
def test_ends_a_daemon_that_left_session_and_environment(cloud: Cloud) -> None:
    note = cloud.folder / "daemon"
    program = f"""
        import subprocess, time
        shell = 'echo $$ > {note}.part; mv {note}.part {note}; exec sleep 300'
        subprocess.Popen(['env', '-i', '/usr/bin/setsid', '/bin/sh', '-c', shell], stdout=subprocess.DEVNULL)
        while not os.path.exists('{note}'):
            time.sleep(0.02)
    """

    job = cloud.process_to_end(cloud.push_image(program))

    assert job["ProcessingJobStatus"] == "Completed"
    assert not is_running(int(note.read_text()))


@pytest.mark.skipif(not can_place(), reason="this system allows no mounts")
def test_gives_a_program_that_spells_opt_ml_its_own_folders(cloud: Cloud) -> None:
    cloud.s3.put("raw", "sales/a.csv", b"1")
    script = "cp /opt/ml/processing/in/a.csv /opt/ml/processing/out/copy.csv"
    image = cloud.push_image("pass")

    job = cloud.process_to_end(
        image,
        AppSpecification={"ImageUri": image, "ContainerEntrypoint": ["/bin/sh", "-c", script]},
        ProcessingInputs=[s3_input("s3://raw/sales", "/opt/ml/processing/in")],
        ProcessingOutputConfig=s3_output("s3://work/out"),
    )

    assert job["ProcessingJobStatus"] == "Completed"
    assert cloud.s3.buckets["work"] == {"out/copy.csv": b"1"}


def test_says_why_there_is_no_opt_ml_where_mounts_are_not_allowed(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "can_place", lambda: False)
    image = cloud.push_image("sys.exit('No such file: /opt/ml/processing/in/a.csv')")

    job = cloud.process_to_end(image)

    assert job["FailureReason"] == (
        "AlgorithmError: No such file: /opt/ml/processing/in/a.csv (this machine allows no mounts, so there is no "
        "/opt/ml here: a program finds its folders below the one that HEADRACE_ML_ROOT names), exit code: 1"
    )
