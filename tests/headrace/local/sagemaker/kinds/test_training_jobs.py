import io
import json
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from headrace.local.sagemaker import Patience, SageMakerError, channels
from headrace.local.sagemaker.kinds import training_jobs
from headrace.local.sagemaker.read_only import Protection, find_protection
from tests.headrace.local.sagemaker.cloud import ROLE, Cloud, file_system_channel, is_running, s3_channel
from tests.headrace.local.sagemaker.fakes import GatedS3
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

SAVE_MODEL = "(ml / 'model' / 'model.txt').write_text('trained')\n"
RUN_UNTIL_STOPPED = """
    import signal
    def leave(*_):
        (ml / 'model' / 'model.txt').write_text('half trained')
        sys.exit(0)
    signal.signal(signal.SIGTERM, leave)
    print('ready')
    signal.pause()
"""


def read_members(archive: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        files = {member.name: tar.extractfile(member) for member in tar if member.isfile()}
        return {name: file.read() for name, file in files.items() if file}


def list_statuses(job: dict[str, Any]) -> list[str]:
    return [transition["Status"] for transition in job["SecondaryStatusTransitions"]]


def test_uploads_the_model_folder_as_an_archive_when_the_program_succeeds(cloud: Cloud) -> None:
    job = cloud.train_to_end(cloud.push_image(SAVE_MODEL))

    assert job["TrainingJobStatus"] == "Completed"
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == "s3://work/models/job/output/model.tar.gz"
    assert read_members(cloud.s3.buckets["work"]["models/job/output/model.tar.gz"]) == {"model.txt": b"trained"}


@pytest.mark.parametrize(
    ("key", "encryption"),
    [
        ({}, {"ServerSideEncryption": "aws:kms"}),
        ({"KmsKeyId": "alias/mine"}, {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/mine"}),
    ],
)
def test_encrypts_the_model_with_the_key_of_the_request(
    cloud: Cloud, key: dict[str, str], encryption: dict[str, str]
) -> None:
    cloud.train_to_end(cloud.push_image(SAVE_MODEL), OutputDataConfig={"S3OutputPath": "s3://work/models", **key})

    assert cloud.s3.encryption == {"models/job/output/model.tar.gz": encryption}


def test_passes_through_every_secondary_status_with_times_and_messages(cloud: Cloud) -> None:
    job = cloud.train_to_end(cloud.push_image(SAVE_MODEL))

    assert list_statuses(job) == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    assert all(
        transition["EndTime"] >= transition["StartTime"] and transition["StatusMessage"]
        for transition in job["SecondaryStatusTransitions"]
    )
    assert job["TrainingEndTime"] >= job["TrainingStartTime"] >= job["CreationTime"]
    assert job["BillableTimeInSeconds"] >= 1
    assert job["SecondaryStatus"] == "Completed"


def test_leaves_no_files_and_no_record_when_the_job_has_ended(cloud: Cloud) -> None:
    cloud.train_to_end(cloud.push_image(SAVE_MODEL))

    assert cloud.list_trees() == []
    assert cloud.list_records() == []


def test_writes_the_configuration_files_that_sagemaker_writes(cloud: Cloud) -> None:
    cloud.s3.put("raw", "train/a.csv", b"1")
    program = """
        for name in ('hyperparameters', 'inputdataconfig', 'resourceconfig'):
            print((ml / 'input/config' / f'{name}.json').read_text())
    """
    channel = s3_channel("s3://raw/train/", ContentType="text/csv", InputMode="FastFile")

    cloud.train_to_end(cloud.push_image(program), HyperParameters={"trees": "500"}, InputDataConfig=[channel])

    hyperparameters, channels, resources = map(json.loads, cloud.logs.lines("/aws/sagemaker/TrainingJobs"))
    assert hyperparameters == {"trees": "500"}
    assert channels == {
        "train": {
            "TrainingInputMode": "File",
            "S3DistributionType": "FullyReplicated",
            "RecordWrapperType": "None",
            "ContentType": "text/csv",
        }
    }
    assert resources["current_host"] == "algo-1"
    assert resources["hosts"] == ["algo-1"]
    assert resources["current_instance_type"] == "ml.m5.large"


def test_gives_the_program_its_channels_below_the_root(cloud: Cloud) -> None:
    cloud.s3.put("raw", "train/a.csv", b"1")
    cloud.s3.put("raw", "train/deep/b.csv", b"2")
    program = "print(sorted(str(p.relative_to(ml)) for p in (ml / 'input/data').rglob('*.csv')))"

    cloud.train_to_end(cloud.push_image(program), InputDataConfig=[s3_channel("s3://raw/train")])

    assert cloud.logs.lines("/aws/sagemaker/TrainingJobs") == [
        "['input/data/train/a.csv', 'input/data/train/deep/b.csv']"
    ]


def test_gives_the_program_the_environment_of_job_and_image(cloud: Cloud) -> None:
    program = """
        for name in ('TRAINING_JOB_NAME', 'TRAINING_JOB_ARN', 'FROM_JOB', 'FROM_IMAGE'):
            print(os.environ[name])
        print(sys.argv[1:])
    """

    cloud.train_to_end(cloud.push_image(program, FROM_IMAGE="image"), name="Job", Environment={"FROM_JOB": "job"})

    assert cloud.logs.lines("/aws/sagemaker/TrainingJobs") == [
        "Job",
        "arn:aws:sagemaker:eu-west-1:123456789012:training-job/job",
        "job",
        "image",
        "['train']",
    ]


def test_uses_the_arguments_of_the_request_with_paths_of_the_tree(cloud: Cloud) -> None:
    image = cloud.push_image("print([argument.replace(str(ml), 'ML') for argument in sys.argv[1:]])")

    cloud.train_to_end(image, algorithm={"ContainerArguments": ["--model", "/opt/ml/model"]})

    assert cloud.logs.lines("/aws/sagemaker/TrainingJobs") == ["['--model', 'ML/model']"]


def test_runs_a_python_entrypoint_with_the_interpreter_of_the_image(cloud: Cloud) -> None:
    image = cloud.push_image("raise SystemExit('not this one')")
    algorithm = {"ContainerEntrypoint": ["python3", "-c", "import sys; print(sys.executable)"]}

    job = cloud.train_to_end(image, algorithm=algorithm)

    assert job["TrainingJobStatus"] == "Completed"
    assert cloud.logs.lines("/aws/sagemaker/TrainingJobs") == [cloud.registry.images[image].entrypoint[0]]


def test_reports_the_last_value_of_each_metric(cloud: Cloud) -> None:
    definitions = [
        {"Name": "rmse", "Regex": "rmse=([0-9.]+)"},
        {"Name": "never", "Regex": "never=([0-9.]+)"},
    ]
    image = cloud.push_image("print('rmse=9.5'); print('rmse=1054.25')")

    job = cloud.train_to_end(image, algorithm={"MetricDefinitions": definitions})

    assert [(metric["MetricName"], metric["Value"]) for metric in job["FinalMetricDataList"]] == [("rmse", 1054.25)]


def test_fails_with_the_text_of_the_failure_file(cloud: Cloud) -> None:
    program = "(ml / 'output/failure').write_text('channel train is empty'); sys.exit(3)"

    job = cloud.train_to_end(cloud.push_image(program))

    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Failed"
    assert job["FailureReason"] == "AlgorithmError: channel train is empty, exit code: 3"


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("sys.exit(1)", "the program printed nothing"),
        ("print('reading'); print(); sys.exit('no column price')", "reading\nno column price"),
        ("(ml / 'output/failure').touch(); sys.exit('no column price')", "no column price"),
    ],
)
def test_fails_with_the_last_lines_without_a_failure_file(cloud: Cloud, program: str, reason: str) -> None:
    job = cloud.train_to_end(cloud.push_image(program))

    assert job["FailureReason"] == f"AlgorithmError: {reason}, exit code: 1"


def test_keeps_the_end_of_long_last_lines(cloud: Cloud) -> None:
    job = cloud.train_to_end(cloud.push_image("print('x' * 5000 + 'the end'); sys.exit(2)"))

    assert len(job["FailureReason"]) == 1024
    assert job["FailureReason"].endswith("the end, exit code: 2")


def test_keeps_the_exit_code_when_the_failure_file_is_long(cloud: Cloud) -> None:
    job = cloud.train_to_end(cloud.push_image("(ml / 'output/failure').write_text('x' * 5000); sys.exit(2)"))

    assert len(job["FailureReason"]) == 1024
    assert job["FailureReason"].endswith("x, exit code: 2")


def test_reports_128_and_the_signal_as_exit_code_when_a_program_is_killed(cloud: Cloud) -> None:
    job = cloud.train_to_end(cloud.push_image("os.kill(os.getpid(), 9)"))

    assert job["FailureReason"] == "AlgorithmError: SIGKILL ended the program, exit code: 137"


def test_does_not_mistake_an_exit_code_for_a_signal(cloud: Cloud) -> None:
    job = cloud.train_to_end(cloud.push_image("sys.exit(137)"))

    assert job["FailureReason"] == "AlgorithmError: the program printed nothing, exit code: 137"


def test_uploads_nothing_when_the_program_fails(cloud: Cloud) -> None:
    cloud.train_to_end(cloud.push_image(SAVE_MODEL + "sys.exit(1)"))

    assert cloud.s3.keys("work") == []


def test_fails_with_a_client_error_when_a_channel_has_no_objects(cloud: Cloud) -> None:
    job = cloud.train_to_end(cloud.push_image(SAVE_MODEL), InputDataConfig=[s3_channel("s3://raw/nothing/")])

    assert job["TrainingJobStatus"] == "Failed"
    assert job["FailureReason"] == (
        'ClientError: Data download failed: No S3 objects found under S3 URL "s3://raw/nothing/" given in input data '
        "source. Please ensure that the bucket exists in the selected region (eu-west-1), that objects exist under "
        f'that S3 prefix, and that the role "{ROLE}" has "s3:ListBucket" permissions on bucket "raw".'
    )


def test_fails_with_a_client_error_when_the_output_bucket_does_not_exist(cloud: Cloud) -> None:
    job = cloud.train_to_end(cloud.push_image(SAVE_MODEL), OutputDataConfig={"S3OutputPath": "s3://absent/models"})

    assert job["FailureReason"].startswith(
        "ClientError: Artifact upload failed: s3://absent/models/job/output/model.tar.gz could not be written"
    )


def test_fails_when_the_program_cannot_be_started(cloud: Cloud) -> None:
    image = cloud.push_image(SAVE_MODEL)

    job = cloud.train_to_end(image, algorithm={"ContainerEntrypoint": ["/absent/program"]})

    assert job["FailureReason"] == (
        "AlgorithmError: the container's program /absent/program could not be started: No such file or directory, "
        "exit code: 127"
    )


def test_stops_with_the_artifacts_written_by_then(cloud: Cloud) -> None:
    cloud.train(cloud.push_image(RUN_UNTIL_STOPPED))
    cloud.await_line("ready")

    cloud.call("StopTrainingJob", TrainingJobName="job")

    job = cloud.sagemaker.wait("TrainingJob", "job")
    assert job["TrainingJobStatus"] == job["SecondaryStatus"] == "Stopped"
    assert list_statuses(job)[2:] == ["Training", "Stopping", "Uploading", "Stopped"]
    archive = cloud.s3.buckets["work"]["models/job/output/model.tar.gz"]
    assert read_members(archive) == {"model.txt": b"half trained"}


def test_is_stopping_until_the_program_has_ended(cloud: Cloud) -> None:
    cloud.train(cloud.push_image("import signal; signal.signal(15, signal.SIG_IGN); print('ready'); signal.pause()"))
    cloud.await_line("ready")

    cloud.call("StopTrainingJob", TrainingJobName="job")

    assert cloud.call("DescribeTrainingJob", TrainingJobName="job")["TrainingJobStatus"] == "Stopping"
    cloud.sagemaker.close()


def test_stops_without_a_result_while_it_is_downloading(tmp_path: Path) -> None:
    s3 = GatedS3("raw", "work")
    cloud = Cloud(tmp_path, Patience(), s3)
    s3.put("raw", "train/a.csv", b"1")
    cloud.train(cloud.push_image(SAVE_MODEL), InputDataConfig=[s3_channel("s3://raw/train")])
    assert s3.reached.wait(PATIENCE_SECONDS)

    cloud.call("StopTrainingJob", TrainingJobName="job")
    s3.gate.set()

    job = cloud.sagemaker.wait("TrainingJob", "job")
    assert list_statuses(job) == ["Starting", "Downloading", "Stopping", "Stopped"]
    assert s3.keys("work") == []


def test_does_not_start_the_program_when_the_stop_comes_just_before(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build_command_after_stop(*_: Any, **__: Any) -> tuple[str, ...]:
        cloud.call("StopTrainingJob", TrainingJobName="job")
        return ("/absent/program",)

    monkeypatch.setattr(training_jobs, "build_command", build_command_after_stop)

    assert cloud.train_to_end(cloud.push_image(SAVE_MODEL))["TrainingJobStatus"] == "Stopped"


def test_kills_a_program_that_does_not_end_within_the_grace(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path, Patience(job_stop_seconds=0.2))
    program = SAVE_MODEL + "import signal; signal.signal(15, signal.SIG_IGN); print('ready'); signal.pause()"
    cloud.train(cloud.push_image(program))
    cloud.await_line("ready")

    cloud.call("StopTrainingJob", TrainingJobName="job")

    assert cloud.sagemaker.wait("TrainingJob", "job")["TrainingJobStatus"] == "Stopped"
    assert cloud.s3.keys("work") == ["models/job/output/model.tar.gz"]


def test_refuses_to_stop_a_job_that_has_ended(cloud: Cloud) -> None:
    cloud.train_to_end(cloud.push_image(SAVE_MODEL))

    with pytest.raises(SageMakerError, match=r"rejected because the training job is in status Completed\."):
        cloud.call("StopTrainingJob", TrainingJobName="job")


def test_stops_when_the_run_takes_longer_than_allowed(cloud: Cloud) -> None:
    job = cloud.train_to_end(cloud.push_image(RUN_UNTIL_STOPPED), StoppingCondition={"MaxRuntimeInSeconds": 1})

    assert job["TrainingJobStatus"] == "Stopped"
    assert job["SecondaryStatus"] == "MaxRuntimeExceeded"


def test_stores_output_data_beside_the_model(cloud: Cloud) -> None:
    program = SAVE_MODEL + "(ml / 'output/data/report.json').write_text('{}')"

    cloud.train_to_end(cloud.push_image(program))

    assert cloud.s3.keys("work") == ["models/job/output/model.tar.gz", "models/job/output/output.tar.gz"]


def test_stores_plain_files_when_the_output_is_not_to_be_compressed(cloud: Cloud) -> None:
    output = {"S3OutputPath": "s3://work/models/", "CompressionType": "NONE"}

    job = cloud.train_to_end(cloud.push_image(SAVE_MODEL), OutputDataConfig=output)

    assert cloud.s3.keys("work") == ["models/job/output/model/model.txt"]
    assert job["ModelArtifacts"]["S3ModelArtifacts"] == "s3://work/models/job/output/model/"


def test_restores_and_stores_checkpoints(cloud: Cloud) -> None:
    cloud.s3.put("work", "checkpoints/epoch-1", b"one")
    program = "(ml / 'checkpoints/epoch-2').write_text((ml / 'checkpoints/epoch-1').read_text() + ' two')"

    cloud.train_to_end(cloud.push_image(program), CheckpointConfig={"S3Uri": "s3://work/checkpoints/"})

    assert cloud.s3.buckets["work"]["checkpoints/epoch-2"] == b"one two"


def test_stores_no_file_that_is_still_growing(cloud: Cloud) -> None:
    program = """
        (ml / 'checkpoints/epoch-2').write_text('whole')
        (ml / 'checkpoints/.epoch-3.sagemaker-ignore').write_text('a part')
    """

    cloud.train_to_end(cloud.push_image(program), CheckpointConfig={"S3Uri": "s3://work/checkpoints/"})

    assert cloud.s3.keys("work") == ["checkpoints/epoch-2"]


def test_ends_what_a_program_leaves_running(cloud: Cloud) -> None:
    program = """
        import subprocess
        child = subprocess.Popen([sys.executable, '-I', '-S', '-c', 'import signal; signal.pause()'],
                                 start_new_session=True)
        (ml / 'model' / 'pid').write_text(str(child.pid))
        os._exit(0)
    """

    cloud.train_to_end(cloud.push_image(program))

    pid = read_members(cloud.s3.buckets["work"]["models/job/output/model.tar.gz"])["pid"]
    assert not is_running(int(pid))


def test_refuses_a_second_job_of_the_same_name(cloud: Cloud) -> None:
    image = cloud.push_image(SAVE_MODEL)
    cloud.train_to_end(image)

    with pytest.raises(SageMakerError) as refused:
        cloud.train(image)

    assert refused.value.code == "ResourceInUse"
    assert refused.value.message == (
        "Training job names must be unique within an AWS account and region, and a training job with this name already "
        "exists (arn:aws:sagemaker:eu-west-1:123456789012:training-job/job)"
    )


def test_refuses_an_image_that_the_registry_does_not_have(cloud: Cloud) -> None:
    with pytest.raises(SageMakerError, match=r"Requested image absent:latest not found\."):
        cloud.train("absent:latest")


def test_says_that_an_unknown_job_is_not_found(cloud: Cloud) -> None:
    with pytest.raises(SageMakerError, match=r"ValidationException: Requested resource not found\."):
        cloud.call("DescribeTrainingJob", TrainingJobName="absent")


VPC = {"SecurityGroupIds": ["sg-0123456789abcdef0"], "Subnets": ["subnet-0123456789abcdef0"]}
EFS = "fs-0123456789abcdef0"
TRY_TO_WRITE = """
    folder = ml / 'input/data/train'
    print([path.read_text() for path in sorted(folder.iterdir())])
    try:
        (folder / 'new.txt').write_text('new')
    except OSError as error:
        print('refused', error.filename == str(folder / 'new.txt'))
    try:
        (folder / 'a.txt').write_text('changed')
    except OSError as error:
        print('refused', error.filename == str(folder / 'a.txt'))
"""


@pytest.fixture(params=list(Protection))
def protection(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Protection:
    if request.param is Protection.MOUNT and find_protection() is not Protection.MOUNT:
        pytest.skip("this system allows no mounts")
    monkeypatch.setattr(channels, "find_protection", lambda: request.param)
    return Protection(request.param)


def test_refuses_what_a_program_writes_to_a_read_only_directory(cloud: Cloud, protection: Protection) -> None:
    folder = cloud.add_efs(EFS)
    (folder / "a.txt").write_text("1")

    cloud.train_to_end(
        cloud.push_image(TRY_TO_WRITE), VpcConfig=VPC, InputDataConfig=[file_system_channel(EFS, "/", "ro")]
    )

    assert cloud.logs.lines("/aws/sagemaker/TrainingJobs")[-3:] == ["['1']", "refused True", "refused True"]
    assert {path.name: path.read_text() for path in folder.iterdir()} == {"a.txt": "1"}
    assert cloud.list_trees() == []


def test_refuses_what_a_program_writes_to_a_fast_file_channel(cloud: Cloud, protection: Protection) -> None:
    cloud.s3.put("raw", "train/a.txt", b"1")
    channel = s3_channel("s3://raw/train/", InputMode="FastFile")

    cloud.train_to_end(cloud.push_image(TRY_TO_WRITE), InputDataConfig=[channel])

    assert cloud.logs.lines("/aws/sagemaker/TrainingJobs")[-3:] == ["['1']", "refused True", "refused True"]
    assert cloud.list_trees() == []


def test_says_in_the_log_that_read_only_channels_are_copies(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(channels, "find_protection", lambda: Protection.PERMISSIONS)
    cloud.add_efs(EFS)

    cloud.train_to_end(cloud.push_image(""), VpcConfig=VPC, InputDataConfig=[file_system_channel(EFS, "/", "ro")])

    assert "read-only channels are copies" in cloud.logs.lines("/aws/sagemaker/TrainingJobs")[0]


def test_keeps_what_a_program_writes_to_a_writable_directory(cloud: Cloud) -> None:
    folder = cloud.add_efs(EFS)
    program = "(ml / 'input/data/train/new.txt').write_text('new')"

    job = cloud.train_to_end(
        cloud.push_image(program), VpcConfig=VPC, InputDataConfig=[file_system_channel(EFS, "/", "rw")]
    )

    assert job["TrainingJobStatus"] == "Completed"
    assert (folder / "new.txt").read_text() == "new"


def test_exports_what_a_failed_program_wrote_to_a_linked_directory(cloud: Cloud) -> None:
    cloud.add_linked_fsx(EFS, "s3://raw/images/", "NEW")
    cloud.s3.put("raw", "images/a.txt", b"1")
    program = "(ml / 'input/data/train/b.txt').write_text((ml / 'input/data/train/a.txt').read_text())\nsys.exit(1)"
    channel = file_system_channel(EFS, "/fsx/data", "rw", kind="FSxLustre")

    job = cloud.train_to_end(cloud.push_image(program), VpcConfig=VPC, InputDataConfig=[channel])

    assert job["TrainingJobStatus"] == "Failed"
    assert cloud.s3.buckets["raw"] == {"images/a.txt": b"1", "images/b.txt": b"1"}


def test_fails_with_a_client_error_when_a_path_lacks_the_mount_name(cloud: Cloud) -> None:
    cloud.add_linked_fsx(EFS, "s3://raw/images/")
    channel = file_system_channel(EFS, "/data", "ro", kind="FSxLustre")

    job = cloud.train_to_end(cloud.push_image(""), VpcConfig=VPC, InputDataConfig=[channel])

    assert job["FailureReason"] == (
        f'ClientError: DirectoryPath "/data" must begin with the mount name of FSx for Lustre file system {EFS}: '
        '"/fsx/data".'
    )


def test_describes_a_file_system_channel_as_sagemaker_does(cloud: Cloud) -> None:
    cloud.add_efs(EFS)
    program = "print((ml / 'input/config/inputdataconfig.json').read_text())"
    channel = file_system_channel(EFS, "/", "rw") | {"ContentType": "application/x-image"}

    cloud.train_to_end(cloud.push_image(program), VpcConfig=VPC, InputDataConfig=[channel])

    (described,) = map(json.loads, cloud.logs.lines("/aws/sagemaker/TrainingJobs"))
    assert described["train"] == {
        "TrainingInputMode": "File",
        "S3DistributionType": "FullyReplicated",
        "RecordWrapperType": "None",
        "ContentType": "application/x-image",
    }


def test_forgets_a_job_that_is_deleted_and_frees_its_name(cloud: Cloud) -> None:
    image = cloud.push_image("pass")
    cloud.train_to_end(image)

    cloud.call("DeleteTrainingJob", TrainingJobName="job")

    assert cloud.call("ListTrainingJobs")["TrainingJobSummaries"] == []
    with pytest.raises(SageMakerError, match="ResourceNotFound"):
        cloud.call("DeleteTrainingJob", TrainingJobName="job")
    assert cloud.train_to_end(image)["TrainingJobStatus"] == "Completed"


def test_keeps_a_job_that_has_not_ended(cloud: Cloud) -> None:
    cloud.train(cloud.push_image(RUN_UNTIL_STOPPED))

    with pytest.raises(SageMakerError, match=r"ResourceInUse: .* is in status InProgress\."):
        cloud.call("DeleteTrainingJob", TrainingJobName="job")


ALGORITHM = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-xgboost:3.2-0"


def test_reads_the_metrics_of_a_built_in_algorithm_and_says_that_ours_stands_in(cloud: Cloud) -> None:
    image = cloud.push_image("print('[0]\\ttrain-rmse:3.5\\tvalidation-rmse:4.25')")
    cloud.registry.images[ALGORITHM] = replace(cloud.registry.images[image], note="ours stands in")

    job = cloud.train_to_end(ALGORITHM)

    found = {metric["MetricName"]: metric["Value"] for metric in job["FinalMetricDataList"]}
    assert found == {"train:rmse": 3.5, "validation:rmse": 4.25}
    assert "headrace: ours stands in" in cloud.logs.lines("/aws/sagemaker/TrainingJobs")


def test_refuses_metric_definitions_for_a_built_in_algorithm(cloud: Cloud) -> None:
    image = cloud.push_image("")
    cloud.registry.images[ALGORITHM] = cloud.registry.images[image]
    definitions = [{"Name": "mine", "Regex": "mine=([0-9]+)"}]

    with pytest.raises(SageMakerError, match="You can't override the metric definitions"):
        cloud.train(ALGORITHM, algorithm={"MetricDefinitions": definitions})
