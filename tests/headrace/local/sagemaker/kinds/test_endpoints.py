import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from headrace.local.sagemaker import Patience, SageMakerError
from tests.headrace.local.sagemaker.cloud import SERVE, Cloud, await_status, find_endpoint, make_config, serve

pytestmark = pytest.mark.slow


def pack(members: dict[str, bytes], kind: bytes = tarfile.REGTYPE) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.type = kind
            member.linkname = "elsewhere"
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def invoke(cloud: Cloud, body: bytes = b"1", **request: Any) -> dict[str, Any]:
    return cloud.call("InvokeEndpoint", EndpointName="endpoint", Body=body, ContentType="text/csv", **request)


def test_answers_with_what_the_container_answers(cloud: Cloud) -> None:
    serve(cloud)

    answer = invoke(cloud, CustomAttributes="trace=1")

    assert answer == {
        "Body": b"first:1:text/csv",
        "ContentType": "text/csv",
        "CustomAttributes": "trace=1",
        "InvokedProductionVariant": "AllTraffic",
    }


def test_serves_the_model_data_of_its_model(cloud: Cloud) -> None:
    cloud.s3.put("work", "model.tar.gz", pack({"model.txt": b"forest"}))

    serve(cloud, ModelDataUrl="s3://work/model.tar.gz")

    assert invoke(cloud)["Body"] == b"forest:1:text/csv"


def test_serves_model_data_that_is_not_packed(cloud: Cloud) -> None:
    cloud.s3.put("work", "model/model.txt", b"plain")
    source = {"S3Uri": "s3://work/model/", "S3DataType": "S3Prefix", "CompressionType": "None"}

    serve(cloud, ModelDataSource={"S3DataSource": source})

    assert invoke(cloud)["Body"] == b"plain:1:text/csv"


def test_describes_its_variant_when_in_service(cloud: Cloud) -> None:
    image = serve(cloud)

    (variant,) = cloud.call("DescribeEndpoint", EndpointName="endpoint")["ProductionVariants"]

    assert variant["CurrentWeight"] == 1.0
    assert variant["CurrentInstanceCount"] == 1
    assert variant["DeployedImages"][0]["ResolvedImage"] == image


def test_starts_the_program_with_serve_and_ships_its_log(cloud: Cloud) -> None:
    serve(cloud)

    cloud.await_line("serving ['serve']")

    ((group, stream),) = cloud.logs.streams
    assert group == "/aws/sagemaker/Endpoints/endpoint"
    assert stream.startswith("AllTraffic/")


def test_turns_a_containers_error_into_a_model_error(cloud: Cloud) -> None:
    serve(cloud)

    with pytest.raises(SageMakerError) as refused:
        invoke(cloud, b"refuse")

    assert (refused.value.code, refused.value.status) == ("ModelError", 424)
    assert refused.value.message == 'Received client error (400) from primary with message "not a number".'
    assert refused.value.details == {"OriginalStatusCode": 400, "OriginalMessage": "not a number"}


def test_says_so_when_the_container_does_not_answer_in_time(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path, Patience(invocation_seconds=0.2, serving_stop_seconds=5, ping_interval_seconds=0.02))
    try:
        serve(cloud)

        with pytest.raises(SageMakerError, match=r"server error \(0\) from primary .* timed out while waiting"):
            invoke(cloud, b"block")
    finally:
        cloud.sagemaker.close()


def test_fails_when_the_program_ends_before_it_is_healthy(cloud: Cloud) -> None:
    make_config(cloud, "broken", cloud.push_image("sys.exit(1)"))

    cloud.call("CreateEndpoint", EndpointName="endpoint", EndpointConfigName="broken")

    endpoint = await_status(cloud, "Failed")
    assert endpoint["FailureReason"] == (
        "The primary container for production variant AllTraffic did not pass the ping health check. Please check "
        "CloudWatch logs for this endpoint."
    )
    assert cloud.list_trees() == []
    assert cloud.list_records() == []


def test_fails_when_the_program_does_not_get_healthy_in_time(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path, Patience(startup_seconds=0.5, ping_interval_seconds=0.02))
    try:
        make_config(cloud, "sick", cloud.push_image(SERVE), answer="sick")

        cloud.call("CreateEndpoint", EndpointName="endpoint", EndpointConfigName="sick")

        assert "did not pass the ping health check" in await_status(cloud, "Failed")["FailureReason"]
    finally:
        cloud.sagemaker.close()


@pytest.mark.parametrize(
    ("archive", "reason"),
    [
        (b"not an archive", "it is not a readable tar.gz archive"),
        (pack({"model.txt": b"forest"})[:40], "it is not a readable tar.gz archive"),
        (pack({"../model.txt": b"forest"}), 'member "../model.txt" leads out of the folder'),
        (pack({"link": b""}, tarfile.SYMTYPE), 'member "link" is neither a file nor a folder'),
    ],
    # An archive's bytes tell the second it was packed in, and test processes must collect the same names.
    ids=["no archive", "cut short", "leads out", "a link"],
)
def test_fails_when_the_model_archive_cannot_be_unpacked(cloud: Cloud, archive: bytes, reason: str) -> None:
    cloud.s3.put("work", "model.tar.gz", archive)
    make_config(cloud, "broken", cloud.push_image(SERVE), ModelDataUrl="s3://work/model.tar.gz")

    cloud.call("CreateEndpoint", EndpointName="endpoint", EndpointConfigName="broken")

    failure = await_status(cloud, "Failed")["FailureReason"]
    assert failure.startswith('Failed to extract model data archive for container "primary" from URL "s3://work/model')
    assert reason in failure


def test_fails_when_the_model_data_has_gone_since(cloud: Cloud) -> None:
    cloud.s3.put("work", "model.tar.gz", pack({}))
    make_config(cloud, "broken", cloud.push_image(SERVE), ModelDataUrl="s3://work/model.tar.gz")
    cloud.s3.buckets["work"].clear()

    cloud.call("CreateEndpoint", EndpointName="endpoint", EndpointConfigName="broken")

    assert await_status(cloud, "Failed")["FailureReason"].startswith(
        'Failed to download model data for container "primary" from URL: "s3://work/model.tar.gz".'
    )


def test_answers_with_the_new_model_after_an_update(cloud: Cloud) -> None:
    image = serve(cloud, "first")
    make_config(cloud, "second", image)

    cloud.call("UpdateEndpoint", EndpointName="endpoint", EndpointConfigName="second")

    assert await_status(cloud, "InService")["EndpointConfigName"] == "second"
    assert invoke(cloud)["Body"] == b"second:1:text/csv"
    assert len(cloud.list_records()) == 1


def test_keeps_answering_with_the_old_model_during_an_update(cloud: Cloud) -> None:
    serve(cloud, "first")
    make_config(cloud, "second", cloud.push_image("print('slow'); sys.stdin.close(); import signal; signal.pause()"))

    cloud.call("UpdateEndpoint", EndpointName="endpoint", EndpointConfigName="second")
    cloud.await_line("slow")

    endpoint = cloud.call("DescribeEndpoint", EndpointName="endpoint")
    assert endpoint["EndpointStatus"] == "Updating"
    assert endpoint["EndpointConfigName"] == "first"
    pending = endpoint["PendingDeploymentSummary"]
    assert pending["EndpointConfigName"] == "second"
    assert pending["ProductionVariants"][0]["VariantStatus"][0]["Status"] == "Creating"
    assert pending["ProductionVariants"][0]["CurrentInstanceCount"] == 0
    assert invoke(cloud)["Body"] == b"first:1:text/csv"


def test_lets_requests_in_flight_end_when_an_update_switches(cloud: Cloud) -> None:
    image = serve(cloud, "first")
    make_config(cloud, "second", image)
    first = find_endpoint(cloud)._active
    first.acquire()

    cloud.call("UpdateEndpoint", EndpointName="endpoint", EndpointConfigName="second")
    cloud.logs.await_line("serving", count=2)
    while invoke(cloud)["Body"] != b"second:1:text/csv":
        assert cloud.call("DescribeEndpoint", EndpointName="endpoint")["EndpointStatus"] == "Updating"
    records = len(cloud.list_records())
    first.release()

    await_status(cloud, "InService")
    assert records == 2
    assert len(cloud.list_records()) == 1


def test_rolls_back_when_the_new_model_does_not_get_healthy(cloud: Cloud) -> None:
    serve(cloud, "first")
    make_config(cloud, "broken", cloud.push_image("sys.exit(1)", name="broken"))

    cloud.call("UpdateEndpoint", EndpointName="endpoint", EndpointConfigName="broken")

    endpoint = await_status(cloud, "InService")
    assert endpoint["EndpointConfigName"] == "first"
    assert endpoint["FailureReason"].endswith('The update was rolled back to endpoint configuration "first".')
    assert invoke(cloud)["Body"] == b"first:1:text/csv"


def test_forgets_the_reason_of_a_rollback_with_the_next_update(cloud: Cloud) -> None:
    image = serve(cloud, "first")
    make_config(cloud, "broken", cloud.push_image("sys.exit(1)", name="broken"))
    make_config(cloud, "second", image)
    cloud.call("UpdateEndpoint", EndpointName="endpoint", EndpointConfigName="broken")
    await_status(cloud, "InService")

    cloud.call("UpdateEndpoint", EndpointName="endpoint", EndpointConfigName="second")

    assert "FailureReason" not in await_status(cloud, "InService")


def test_refuses_an_update_while_another_is_in_progress(cloud: Cloud) -> None:
    serve(cloud, "first")
    make_config(cloud, "second", cloud.push_image("import signal; signal.pause()"))
    cloud.call("UpdateEndpoint", EndpointName="endpoint", EndpointConfigName="second")

    with pytest.raises(SageMakerError, match=r'Cannot update in-progress endpoint "arn:aws:.*:endpoint/endpoint"'):
        cloud.call("UpdateEndpoint", EndpointName="endpoint", EndpointConfigName="first")


def test_refuses_an_update_of_a_failed_endpoint(cloud: Cloud) -> None:
    make_config(cloud, "broken", cloud.push_image("sys.exit(1)"))
    cloud.call("CreateEndpoint", EndpointName="endpoint", EndpointConfigName="broken")
    await_status(cloud, "Failed")

    with pytest.raises(SageMakerError, match="Only DeleteEndpoint can be performed on a failed endpoint"):
        cloud.call("UpdateEndpoint", EndpointName="endpoint", EndpointConfigName="broken")


def invoke_when_back(cloud: Cloud) -> dict[str, Any]:
    """The first answer that is not a 503, as a client that retries gets it."""
    while True:
        try:
            return invoke(cloud)
        except SageMakerError as error:
            if error.code != "ServiceUnavailable":
                raise


def test_starts_a_process_again_that_has_died(cloud: Cloud) -> None:
    serve(cloud)

    with pytest.raises(SageMakerError, match="closed the connection without a complete response"):
        invoke(cloud, b"crash")
    cloud.await_line("crashing")
    cloud.logs.await_line("serving", count=2)

    assert invoke_when_back(cloud)["Body"] == b"first:1:text/csv"
    assert len(cloud.list_records()) == 1


def test_is_out_of_service_when_the_process_keeps_dying(tmp_path: Path) -> None:
    cloud = Cloud(tmp_path, Patience(restarts=0, ping_interval_seconds=0.02))
    try:
        serve(cloud)
        with pytest.raises(SageMakerError, match="ModelError"):
            invoke(cloud, b"crash")
        find_endpoint(cloud)._active._keeper.join(20)

        endpoint = cloud.call("DescribeEndpoint", EndpointName="endpoint")

        assert endpoint["EndpointStatus"] == "OutOfService"
        assert "is not started again" in endpoint["FailureReason"]
        with pytest.raises(SageMakerError, match="ServiceUnavailable"):
            invoke(cloud)
    finally:
        cloud.sagemaker.close()


def test_is_gone_with_its_process_when_deleted(cloud: Cloud) -> None:
    serve(cloud)

    cloud.call("DeleteEndpoint", EndpointName="endpoint")

    with pytest.raises(SageMakerError, match="Could not find endpoint"):
        cloud.sagemaker.wait("Endpoint", "endpoint")
    with pytest.raises(SageMakerError, match=r'Could not find endpoint "arn:aws:sagemaker:.*:endpoint/endpoint"'):
        cloud.call("DescribeEndpoint", EndpointName="endpoint")
    assert cloud.list_records() == []
    assert cloud.list_trees() == []


def test_says_that_an_endpoint_is_not_found_when_its_name_is_in_another_case(cloud: Cloud) -> None:
    serve(cloud)

    with pytest.raises(SageMakerError, match=r"ValidationError: Endpoint ENDPOINT of account 123456789012 not found\."):
        cloud.call("InvokeEndpoint", EndpointName="ENDPOINT", Body=b"1")


def test_refuses_a_body_that_is_too_large(cloud: Cloud) -> None:
    serve(cloud)

    with pytest.raises(SageMakerError, match=r"Value at 'body' failed .* less than or equal to 6291456"):
        invoke(cloud, b"1" * 6_291_457)


def test_refuses_a_second_endpoint_of_the_same_name(cloud: Cloud) -> None:
    serve(cloud)

    with pytest.raises(SageMakerError, match=r'Cannot create already existing endpoint "arn:aws:.*:endpoint/endpoint"'):
        cloud.call("CreateEndpoint", EndpointName="endpoint", EndpointConfigName="first")


def test_refuses_an_endpoint_of_an_unknown_configuration(cloud: Cloud) -> None:
    with pytest.raises(SageMakerError, match=r'Could not find endpoint configuration "arn:.*:endpoint-config/absent"'):
        cloud.call("CreateEndpoint", EndpointName="endpoint", EndpointConfigName="absent")
