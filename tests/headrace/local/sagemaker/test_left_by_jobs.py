"""What jobs leave instead of the files and folders that are expected of them."""

from pathlib import Path
from typing import Any

import pytest

from tests.headrace.local.sagemaker.cloud import Cloud

pytestmark = pytest.mark.slow

PROCESSING_LOG = "/aws/sagemaker/ProcessingJobs"
TRAINING_LOG = "/aws/sagemaker/TrainingJobs"
SPECIAL = {
    "a named pipe": "os.mkfifo(path)",
    "a link": "path.symlink_to('/etc/passwd')",
    "a folder": "path.mkdir()",
    "a socket": "os.chdir(path.parent); import socket; socket.socket(socket.AF_UNIX).bind(path.name)",
}


def leave(name: str, code: str) -> str:
    return f"path = ml / '{name}'\n{code}\n"


def s3_output() -> dict[str, Any]:
    place = {"S3Uri": "s3://work/out", "LocalPath": "/opt/ml/processing/out", "S3UploadMode": "EndOfJob"}
    return {"Outputs": [{"OutputName": "out", "S3Output": place}]}


@pytest.mark.parametrize("kind", SPECIAL)
def test_a_job_ends_with_its_last_lines_whatever_it_left_as_its_failure(cloud: Cloud, kind: str) -> None:
    program = leave("output/failure", SPECIAL[kind]) + "print('no rows', flush=True); sys.exit(3)"

    job = cloud.process_to_end(cloud.push_image(program))

    assert job["ProcessingJobStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: no rows, exit code: 3"
    assert cloud.logs.lines(PROCESSING_LOG) == ["no rows", f"headrace: output/failure is {kind}, not a file: not read"]


@pytest.mark.parametrize("kind", SPECIAL)
def test_a_job_completes_whatever_it_left_as_its_message(cloud: Cloud, kind: str) -> None:
    job = cloud.process_to_end(cloud.push_image(leave("output/message", SPECIAL[kind])))

    assert job["ProcessingJobStatus"] == "Completed"
    assert "ExitMessage" not in job
    assert cloud.logs.lines(PROCESSING_LOG) == [f"headrace: output/message is {kind}, not a file: not read"]


def test_a_shell_that_leaves_a_pipe_as_its_failure_ends(cloud: Cloud) -> None:
    command = "mkdir -p $HEADRACE_ML_ROOT/output; mkfifo $HEADRACE_ML_ROOT/output/failure; exit 3"
    image = cloud.push_image("pass")
    application = {"ImageUri": image, "ContainerEntrypoint": ["/bin/sh", "-c", command]}

    job = cloud.process_to_end(image, AppSpecification=application)

    assert job["FailureReason"] == "AlgorithmError: the program printed nothing, exit code: 3"


@pytest.mark.parametrize("kind", ["a named pipe", "a socket"])
def test_outputs_are_stored_without_what_is_no_file(cloud: Cloud, kind: str) -> None:
    program = "(ml / 'processing/out/part').write_text('1')\n" + leave("processing/out/odd", SPECIAL[kind])

    job = cloud.process_to_end(cloud.push_image(program), ProcessingOutputConfig=s3_output())

    assert job["ProcessingJobStatus"] == "Completed"
    assert cloud.s3.keys("work") == ["out/part"]
    assert cloud.logs.lines(PROCESSING_LOG) == [f"headrace: processing/out/odd is {kind}: not stored"]


def test_outputs_are_stored_without_what_their_links_point_to(cloud: Cloud) -> None:
    (cloud.folder / "secret").write_text("shh")
    program = f"""
        out = ml / 'processing/out'
        (out / 'file').symlink_to('{cloud.folder}/secret')
        (out / 'folder').symlink_to('{cloud.folder}')
    """

    cloud.process_to_end(cloud.push_image(program), ProcessingOutputConfig=s3_output())

    assert cloud.s3.keys("work") == []
    assert [line.split()[1] for line in cloud.logs.lines(PROCESSING_LOG)] == [
        "processing/out/file",
        "processing/out/folder",
    ]


def test_a_job_fails_when_its_output_folder_became_a_link(cloud: Cloud) -> None:
    program = f"(ml / 'processing/out').rmdir(); (ml / 'processing/out').symlink_to('{cloud.folder}')"

    job = cloud.process_to_end(cloud.push_image(program), ProcessingOutputConfig=s3_output())

    assert job["FailureReason"] == "ClientError: processing/out cannot be read as a folder: Not a directory"
    assert cloud.s3.keys("work") == []


@pytest.mark.parametrize("name", ["model", "output/data", "checkpoints"])
def test_a_training_job_stores_only_files_of_its_own(cloud: Cloud, name: str) -> None:
    folder = f"folder = ml / '{name}'\n(folder / 'kept').write_text('1'); os.mkfifo(folder / 'pipe')\n"
    program = folder + "(folder / 'link').symlink_to('/etc/passwd')"

    job = cloud.train_to_end(
        cloud.push_image(program),
        OutputDataConfig={"S3OutputPath": "s3://work/models", "CompressionType": "NONE"},
        CheckpointConfig={"S3Uri": "s3://work/checkpoints"},
    )

    assert job["TrainingJobStatus"] == "Completed"
    assert [Path(key).name for key in cloud.s3.keys("work")] == ["kept"]
    assert cloud.logs.lines(TRAINING_LOG) == [
        f"headrace: {name}/link is a link that does not lead to a file of its folder: not stored",
        f"headrace: {name}/pipe is a named pipe: not stored",
    ]


def test_a_model_with_links_and_second_names_can_be_served(cloud: Cloud) -> None:
    program = """
        (ml / 'model/model.txt').write_text('trained')
        (ml / 'model/last.txt').symlink_to('model.txt')
        os.link(ml / 'model/model.txt', ml / 'model/same.txt')
        os.mkfifo(ml / 'model/pipe')
    """
    cloud.train_to_end(cloud.push_image(program))
    channel = "s3://work/models/job/output/model.tar.gz"
    names = "print(sorted(p.name for p in (ml / 'model').iterdir()), flush=True)"
    image = cloud.push_image(names, name="reader")

    container = {"Image": image, "ModelDataUrl": channel}
    role = "arn:aws:iam::123456789012:role/ml"
    cloud.call("CreateModel", ModelName="model", PrimaryContainer=container, ExecutionRoleArn=role)
    variant = {
        "VariantName": "all",
        "ModelName": "model",
        "InitialInstanceCount": 1,
        "InstanceType": "ml.m5.large",
    }
    cloud.call("CreateEndpointConfig", EndpointConfigName="config", ProductionVariants=[variant])
    cloud.call("CreateEndpoint", EndpointName="endpoint", EndpointConfigName="config")

    cloud.await_line("['last.txt', 'model.txt', 'same.txt']")


def test_a_job_ends_when_it_leaves_folders_too_deep_to_remove(cloud: Cloud) -> None:
    program = "os.chdir(ml)\nfor _ in range(3000):\n    os.mkdir('d'); os.chdir('d')"

    job = cloud.process_to_end(cloud.push_image(program))

    assert job["ProcessingJobStatus"] == "Completed"
    assert cloud.list_trees() == []
