import threading
from pathlib import Path

import pytest

from headrace.local.sagemaker import Patience, SageMakerError
from tests.headrace.local.sagemaker.cloud import SERVE, Cloud, find_endpoint, is_running, make_config, s3_channel, serve
from tests.headrace.local.sagemaker.fakes import GatedS3
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

STUBBORN = """
    import signal
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    (ml / 'model').mkdir(exist_ok=True)
    (ml / 'model' / 'model.txt').write_text('half trained')
    print('pid', os.getpid())
    signal.pause()
"""


def read_pid(cloud: Cloud) -> int:
    """The id that a program printed."""
    cloud.await_line("pid ")
    lines = [event["message"] for events in cloud.logs.streams.values() for event in events]
    return int(next(line for line in lines if line.startswith("pid ")).split()[1])


def assert_nothing_left(cloud: Cloud) -> None:
    assert cloud.list_trees() == []
    assert cloud.list_records() == []
    names = {thread.name for thread in threading.enumerate()}
    assert not [name for name in names if name.startswith(("training", "processing", "endpoint", "keeper", "logs"))]


def test_close_ends_a_job_that_ignores_sigterm(cloud: Cloud) -> None:
    cloud.train(cloud.push_image(STUBBORN))
    pid = read_pid(cloud)

    cloud.sagemaker.close()

    assert not is_running(pid)
    assert cloud.sagemaker.wait("TrainingJob", "job")["TrainingJobStatus"] == "Stopped"
    assert cloud.s3.keys("work") == []
    assert_nothing_left(cloud)


def test_close_ends_a_processing_job(cloud: Cloud) -> None:
    cloud.process(cloud.push_image(STUBBORN))
    pid = read_pid(cloud)

    cloud.sagemaker.close()

    assert not is_running(pid)
    assert_nothing_left(cloud)


def test_close_ends_a_job_that_is_still_downloading(tmp_path: Path) -> None:
    s3 = GatedS3("raw", "work")
    cloud = Cloud(tmp_path, Patience(), s3)
    s3.put("raw", "train/a", b"1")
    s3.put("raw", "train/b", b"2")
    cloud.train(cloud.push_image("pass"), InputDataConfig=[s3_channel("s3://raw/train")])
    assert s3.reached.wait(PATIENCE_SECONDS)

    closer = threading.Thread(target=cloud.sagemaker.close)
    closer.start()
    s3.gate.set()
    closer.join(20)

    assert not closer.is_alive()
    assert_nothing_left(cloud)


def test_close_ends_an_endpoint_in_service(cloud: Cloud) -> None:
    serve(cloud)
    process = find_endpoint(cloud)._active._process
    assert process

    cloud.sagemaker.close()

    assert process.exited
    assert_nothing_left(cloud)


def test_close_ends_an_endpoint_that_is_not_healthy_yet(cloud: Cloud) -> None:
    make_config(cloud, "first", cloud.push_image(STUBBORN))
    cloud.call("CreateEndpoint", EndpointName="endpoint", EndpointConfigName="first")
    pid = read_pid(cloud)

    cloud.sagemaker.close()

    assert not is_running(pid)
    assert_nothing_left(cloud)


def test_close_ends_both_processes_of_an_endpoint_that_is_updating(cloud: Cloud) -> None:
    serve(cloud)
    make_config(cloud, "second", cloud.push_image(STUBBORN))
    cloud.call("UpdateEndpoint", EndpointName="endpoint", EndpointConfigName="second")
    pid = read_pid(cloud)

    cloud.sagemaker.close()

    assert not is_running(pid)
    assert_nothing_left(cloud)


def test_close_does_not_wait_for_requests_in_flight(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path, Patience(ping_interval_seconds=0.02))
    image = serve(cloud)
    make_config(cloud, "second", image)
    first = find_endpoint(cloud)._active
    first.acquire()
    cloud.call("UpdateEndpoint", EndpointName="endpoint", EndpointConfigName="second")
    cloud.logs.await_line("serving", count=2)

    closer = threading.Thread(target=cloud.sagemaker.close)
    closer.start()
    closer.join(20)

    assert not closer.is_alive()
    assert_nothing_left(cloud)


def test_close_can_be_called_again(cloud: Cloud) -> None:
    cloud.train_to_end(cloud.push_image("pass"))

    cloud.sagemaker.close()
    cloud.sagemaker.close()

    assert_nothing_left(cloud)


def test_starts_nothing_after_close(cloud: Cloud) -> None:
    image = cloud.push_image("pass")
    cloud.sagemaker.close()

    with pytest.raises(SageMakerError, match="shutting down") as refused:
        cloud.train(image)

    assert refused.value.status == 503


def test_runs_many_jobs_at_once(cloud: Cloud) -> None:
    image = cloud.push_image("(ml / 'model' / 'name').write_text(os.environ['TRAINING_JOB_NAME'])")
    names = [f"job-{number}" for number in range(8)]

    for name in names:
        cloud.train(image, name)

    statuses = {cloud.sagemaker.wait("TrainingJob", name)["TrainingJobStatus"] for name in names}
    assert statuses == {"Completed"}
    assert cloud.s3.keys("work") == sorted(f"models/{name}/output/model.tar.gz" for name in names)


def test_answers_requests_of_many_threads(cloud: Cloud) -> None:
    serve(cloud)
    answers: list[bytes] = []

    def invoke(number: int) -> None:
        body = str(number).encode()
        answers.append(cloud.call("InvokeEndpoint", EndpointName="endpoint", Body=body)["Body"])

    threads = [threading.Thread(target=invoke, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == sorted(f"first:{number}:None".encode() for number in range(16))


def test_serves_a_model_with_serverless_capacity(cloud: Cloud) -> None:
    image = cloud.push_image(SERVE)
    cloud.call("CreateModel", ModelName="model", PrimaryContainer={"Image": image})
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    variant = {"VariantName": "AllTraffic", "ModelName": "model", "ServerlessConfig": serverless}
    cloud.call("CreateEndpointConfig", EndpointConfigName="first", ProductionVariants=[variant])

    cloud.call("CreateEndpoint", EndpointName="endpoint", EndpointConfigName="first")

    (described,) = cloud.call("DescribeEndpoint", EndpointName="endpoint")["ProductionVariants"]
    assert described["CurrentServerlessConfig"] == serverless
    assert "CurrentInstanceCount" not in described
