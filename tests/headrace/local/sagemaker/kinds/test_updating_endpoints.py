"""Updates by steps, watched by alarms; sizes and weights; serverless endpoints; what CloudWatch is told of requests."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from headrace.local.sagemaker import SageMakerError
from tests.headrace.local.sagemaker.cloud import (
    ROLE,
    SERVE,
    Cloud,
    await_status,
    check_answer,
    find_endpoint,
    make_config,
    serve,
)
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

# Longer than any test waits: what bakes so long is baking until the test ends it.
LONG_SECONDS = 3600
DIMENSIONS = {"EndpointName": "endpoint", "VariantName": "AllTraffic"}


def bake(kind: str = "ALL_AT_ONCE", wait: int = 0, alarms: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    sizes = {name: {"Type": "CAPACITY_PERCENT", "Value": more.pop(name)} for name in list(more) if name[0].isupper()}
    traffic = {"Type": kind, "WaitIntervalInSeconds": wait, **sizes}
    policy = {"TrafficRoutingConfiguration": traffic, "TerminationWaitInSeconds": more.pop("termination", 0)}
    watched = {"AutoRollbackConfiguration": {"Alarms": [{"AlarmName": name} for name in alarms]}} if alarms else {}
    return {"BlueGreenUpdatePolicy": policy, **watched}


def invoke(cloud: Cloud, body: bytes = b"1") -> str:
    answer = cloud.call("InvokeEndpoint", EndpointName="endpoint", Body=body, ContentType="text/csv")
    return str(answer["Body"].decode()).partition(":")[0]


def update(cloud: Cloud, config: str = "second", **request: Any) -> None:
    cloud.call("UpdateEndpoint", EndpointName="endpoint", EndpointConfigName=config, **request)


def describe(cloud: Cloud) -> dict[str, Any]:
    return check_answer("DescribeEndpoint", cloud.call("DescribeEndpoint", EndpointName="endpoint"))


def await_stage(cloud: Cloud, stage: str) -> dict[str, Any]:
    return await_description(
        cloud,
        lambda found: (
            stage
            in [
                status["Status"]
                for variant in found.get("PendingDeploymentSummary", {}).get("ProductionVariants", [])
                for status in variant["VariantStatus"]
            ]
        ),
    )


def await_description(cloud: Cloud, is_wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    endpoint = find_endpoint(cloud)
    with endpoint._changed:
        # Stages are entered without waking anybody.
        for _ in range(PATIENCE_SECONDS * 100):
            if is_wanted(found := describe(cloud)):
                return found
            endpoint._changed.wait(0.01)
    raise AssertionError(describe(cloud))


@pytest.fixture
def serving(cloud: Cloud) -> Cloud:
    make_config(cloud, "second", serve(cloud, "first"))
    return cloud


def test_gives_the_new_machines_their_share_of_requests_while_it_bakes(serving: Cloud) -> None:
    update(serving, DeploymentConfig=bake("CANARY", LONG_SECONDS, CanarySize=20))
    pending = await_stage(serving, "Baking")

    answers = Counter(invoke(serving) for _ in range(50))

    assert answers == {"first": 40, "second": 10}
    assert (pending["EndpointStatus"], pending["EndpointConfigName"]) == ("Updating", "first")
    assert pending["PendingDeploymentSummary"]["EndpointConfigName"] == "second"


def test_gives_them_all_requests_after_the_last_step(serving: Cloud) -> None:
    update(serving, DeploymentConfig=bake("LINEAR", 1, LinearStepSize=50, termination=1))

    endpoint = await_status(serving, "InService")

    assert endpoint["EndpointConfigName"] == "second"
    assert "PendingDeploymentSummary" not in endpoint
    assert {invoke(serving) for _ in range(5)} == {"second"}
    assert len(serving.list_records()) == 1


@pytest.mark.parametrize("kind", [{"kind": "ALL_AT_ONCE"}, {"kind": "CANARY", "CanarySize": 50}])
def test_rolls_back_when_an_alarm_goes_off_while_it_bakes(serving: Cloud, kind: dict[str, Any]) -> None:
    serving.cloudwatch.alarms = {"errors": "OK", "latency": "INSUFFICIENT_DATA"}
    update(serving, DeploymentConfig=bake(wait=LONG_SECONDS, alarms=("errors", "latency"), **kind))
    await_stage(serving, "Baking")

    serving.cloudwatch.alarms["latency"] = "ALARM"

    endpoint = await_status(serving, "InService")
    assert endpoint["EndpointConfigName"] == "first"
    assert endpoint["FailureReason"] == (
        "CloudWatch alarms went into the ALARM state: latency. The update was rolled back to endpoint configuration "
        '"first".'
    )
    assert {invoke(serving) for _ in range(5)} == {"first"}
    assert len(serving.list_records()) == 1


def test_moves_no_request_when_an_alarm_is_off_before_it_begins(serving: Cloud) -> None:
    serving.cloudwatch.alarms = {"errors": "ALARM"}

    update(serving, DeploymentConfig=bake(wait=LONG_SECONDS, alarms=("errors",)))

    assert await_status(serving, "InService")["EndpointConfigName"] == "first"
    assert not serving.logs.lines("/aws/sagemaker/Endpoints/endpoint")[2:]


def test_answers_requests_in_flight_to_the_new_machines_when_it_rolls_back(serving: Cloud) -> None:
    serving.cloudwatch.alarms = {"errors": "OK"}
    update(serving, DeploymentConfig=bake(wait=LONG_SECONDS, alarms=("errors",)))
    await_stage(serving, "Baking")
    replacement = find_endpoint(serving)._replacement
    assert replacement
    replacement.deployment.acquire()

    serving.cloudwatch.alarms["errors"] = "ALARM"
    await_description(serving, lambda found: found["EndpointStatus"] == "RollingBack")
    answer, records = invoke(serving), len(serving.list_records())
    replacement.deployment.release()

    await_status(serving, "InService")
    assert (answer, records) == ("first", 2)


def test_rolls_back_when_the_new_machines_do_not_stay_alive(serving: Cloud) -> None:
    update(serving, DeploymentConfig=bake(wait=LONG_SECONDS))
    await_stage(serving, "Baking")
    replacement = find_endpoint(serving)._replacement
    assert replacement

    replacement.deployment.outage = "The primary container ended."

    endpoint = await_status(serving, "InService")
    assert endpoint["FailureReason"].startswith("The primary container ended. The update was rolled back")


def test_waits_before_the_old_machines_go(serving: Cloud) -> None:
    update(serving, DeploymentConfig=bake(termination=LONG_SECONDS))

    endpoint = await_description(serving, lambda found: found["EndpointConfigName"] == "second")

    assert endpoint["EndpointStatus"] == "Updating"
    assert invoke(serving) == "second"
    assert len(serving.list_records()) == 2


def test_ends_in_the_middle_of_baking_when_the_cloud_does(serving: Cloud) -> None:
    update(serving, DeploymentConfig=bake(wait=LONG_SECONDS))
    await_stage(serving, "Baking")

    serving.sagemaker.close()

    assert serving.list_records() == []


@pytest.mark.parametrize(
    ("kept", "last"), [({}, None), ({"RetainDeploymentConfig": True}, bake("LINEAR", 0, LinearStepSize=50))]
)
def test_uses_the_last_deployment_config_again_only_when_told(
    serving: Cloud, kept: dict[str, Any], last: dict[str, Any] | None
) -> None:
    update(serving, DeploymentConfig=bake("LINEAR", 0, LinearStepSize=50))
    assert await_status(serving, "InService")["LastDeploymentConfig"] == bake("LINEAR", 0, LinearStepSize=50)

    update(serving, "first", **kept)

    assert await_status(serving, "InService").get("LastDeploymentConfig") == last


def test_refuses_alarms_that_there_are_not(serving: Cloud) -> None:
    serving.cloudwatch.alarms = {"errors": "OK"}

    with pytest.raises(SageMakerError, match="There are no alarms latency for AutoRollbackConfiguration"):
        update(serving, DeploymentConfig=bake(alarms=("errors", "latency")))

    assert describe(serving)["EndpointStatus"] == "InService"


def change(cloud: Cloud, **wanted: Any) -> dict[str, Any]:
    cloud.call(
        "UpdateEndpointWeightsAndCapacities",
        EndpointName="endpoint",
        DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic"} | wanted],
    )
    (variant,) = await_status(cloud, "InService")["ProductionVariants"]
    return dict(variant)


def test_changes_weight_and_instances(serving: Cloud) -> None:
    variant = change(serving, DesiredInstanceCount=3, DesiredWeight=0.5)

    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (3, 3)
    assert (variant["CurrentWeight"], variant["DesiredWeight"]) == (0.5, 0.5)


@pytest.mark.parametrize(
    ("request_", "count", "weight"),
    [
        ({}, 1, 1.0),
        ({"RetainAllVariantProperties": True}, 3, 0.5),
        (
            {
                "RetainAllVariantProperties": True,
                "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredWeight"}],
            },
            3,
            1.0,
        ),
    ],
)
def test_keeps_what_was_changed_through_an_update_when_told(
    serving: Cloud, request_: dict[str, Any], count: int, weight: float
) -> None:
    change(serving, DesiredInstanceCount=3, DesiredWeight=0.5)

    update(serving, **request_)

    (variant,) = await_status(serving, "InService")["ProductionVariants"]
    assert (variant["CurrentInstanceCount"], variant["CurrentWeight"]) == (count, weight)


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"VariantName": "Other"}, "The endpoint has no variant Other; it has AllTraffic"),
        ({"ServerlessUpdateConfig": {"MaxConcurrency": 2}}, "AllTraffic has instances: ServerlessUpdateConfig"),
    ],
)
def test_refuses_to_change_what_it_does_not_have(serving: Cloud, wanted: dict[str, Any], reason: str) -> None:
    with pytest.raises(SageMakerError, match=reason):
        change(serving, **wanted)


def serve_serverless(cloud: Cloud, **serverless: Any) -> None:
    image = cloud.push_image(SERVE, name="server")
    container = {"Image": image, "Environment": {"ANSWER": "first"}}
    cloud.call("CreateModel", ModelName="first", PrimaryContainer=container, ExecutionRoleArn=ROLE)
    make_serverless_config(cloud, **serverless)
    cloud.call("CreateEndpoint", EndpointName="endpoint", EndpointConfigName="serverless")
    await_status(cloud, "InService")


def make_serverless_config(cloud: Cloud, config: dict[str, Any] | None = None, **serverless: Any) -> None:
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": "first",
        "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 1} | serverless,
    }
    cloud.call("CreateEndpointConfig", EndpointConfigName="serverless", ProductionVariants=[variant], **(config or {}))


def test_refuses_requests_beyond_the_concurrency_of_a_serverless_endpoint(cloud: Cloud) -> None:
    serve_serverless(cloud)
    endpoint = find_endpoint(cloud)
    endpoint.active.acquire()

    with pytest.raises(SageMakerError, match="ThrottlingException: Rate exceeded") as refused:
        invoke(cloud)
    endpoint.active.release()

    assert refused.value.status == 429
    assert invoke(cloud) == "first"
    assert change(cloud, ServerlessUpdateConfig={"MaxConcurrency": 2})["CurrentServerlessConfig"] == {
        "MemorySizeInMB": 2048,
        "MaxConcurrency": 2,
    }


@pytest.mark.parametrize(
    ("config", "serverless", "reason"),
    [
        ({}, {"MemorySizeInMB": 1536}, "must be a multiple of 1024, not 1536"),
        ({}, {"ProvisionedConcurrency": 2}, "ProvisionedConcurrency .* must not be above its MaxConcurrency"),
        ({"KmsKeyId": "key"}, {}, "KmsKeyId is not supported for serverless endpoints"),
        (
            {"VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}},
            {},
            "VpcConfig is not supported for serverless endpoints",
        ),
        (
            {
                "DataCaptureConfig": {
                    "InitialSamplingPercentage": 100,
                    "DestinationS3Uri": "s3://work/captured",
                    "CaptureOptions": [{"CaptureMode": "Input"}],
                }
            },
            {},
            "DataCaptureConfig is not supported for serverless endpoints",
        ),
    ],
)
def test_refuses_what_serverless_endpoints_do_not_have(
    serving: Cloud, config: dict[str, Any], serverless: dict[str, Any], reason: str
) -> None:
    with pytest.raises(SageMakerError, match=reason):
        make_serverless_config(serving, config, **serverless)


def test_refuses_to_make_a_serverless_endpoint_of_one_with_instances(serving: Cloud) -> None:
    make_serverless_config(serving)

    with pytest.raises(SageMakerError, match="with instances cannot be updated to one that is serverless"):
        update(serving, "serverless")


def test_gives_a_serverless_endpoint_instances(cloud: Cloud) -> None:
    serve_serverless(cloud)
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": "first",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    cloud.call("CreateEndpointConfig", EndpointConfigName="machines", ProductionVariants=[variant])

    update(cloud, "machines")

    assert await_status(cloud, "InService")["ProductionVariants"][0]["CurrentInstanceCount"] == 1


def test_tells_cloudwatch_of_every_request(serving: Cloud) -> None:
    invoke(serving)
    with pytest.raises(SageMakerError, match="ModelError"):
        invoke(serving, b"refuse")
    find_endpoint(serving)._metrics.close()

    def values(name: str) -> dict[float, float]:
        return serving.cloudwatch.await_values("AWS/SageMaker", name, **DIMENSIONS)

    assert values("Invocations") == values("InvocationsPerInstance") == {1: 2}
    assert values("Invocation4XXErrors") == values("InvocationModelErrors") == {0: 1, 1: 1}
    assert values("Invocation5XXErrors") == {0: 2}
    assert all(value > 0 for value in values("ModelLatency"))
    assert sum(values("OverheadLatency").values()) == 2


def test_tells_cloudwatch_without_being_asked_to(serving: Cloud) -> None:
    invoke(serving)

    assert serving.cloudwatch.await_values("AWS/SageMaker", "Invocations", **DIMENSIONS) == {1: 1}


def test_tells_the_fleets_of_an_update_apart(serving: Cloud) -> None:
    update(serving, DeploymentConfig=bake("CANARY", LONG_SECONDS, CanarySize=50))
    await_stage(serving, "Baking")
    for _ in range(4):
        invoke(serving)
    find_endpoint(serving)._metrics.close()

    counts = {
        config: serving.cloudwatch.await_values("AWS/SageMaker", "Invocations", **DIMENSIONS, EndpointConfigName=config)
        for config in ("first", "second")
    }

    assert counts == {"first": {1: 2}, "second": {1: 2}}


def test_counts_a_request_that_no_container_answers_as_a_server_error(serving: Cloud) -> None:
    with pytest.raises(SageMakerError, match="closed the connection"):
        invoke(serving, b"crash")
    find_endpoint(serving)._metrics.close()

    errors = serving.cloudwatch.await_values("AWS/SageMaker", "Invocation5XXErrors", **DIMENSIONS)

    assert errors == {1: 1}


def test_refuses_an_interval_that_there_is_not(serving: Cloud) -> None:
    variant = {"VariantName": "v", "ModelName": "first", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}

    with pytest.raises(SageMakerError, match="must be one of 10, 30, 60, 120, 180, 240, 300, not 15"):
        serving.call(
            "CreateEndpointConfig",
            EndpointConfigName="odd",
            ProductionVariants=[variant],
            MetricsConfig={"EnableEnhancedMetrics": True, "MetricPublishFrequencyInSeconds": 15},
        )
