"""What is asked of CloudWatch about machines, and what is made of its answers, which botocore checks the form of."""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from click.testing import CliRunner

from headrace.assemblies import Assembly
from headrace.cli import cli
from headrace.cost.measured import advise_endpoints, advise_jobs
from headrace.cost.recorded import Recorded, RecordedJob, read_job
from headrace.inventory import Item, Maker, usual_prices

BEGAN = datetime(2026, 11, 20, 9, 50, tzinfo=UTC)
HOURS = {"StartTime": datetime(2026, 11, 20, 9, tzinfo=UTC), "EndTime": datetime(2026, 11, 20, 11, tzinfo=UTC)}
METRICS = ("CPUUtilization", "MemoryUtilization", "GPUUtilization", "GPUMemoryUtilization", "DiskUtilization")


class Account:
    """A session whose clients expect what they are asked, and answer it."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._clients: dict[str, Any] = {}
        self._stubs: dict[str, Stubber] = {}

    def client(self, name: str) -> Any:
        if name not in self._clients:
            client = boto3.client(
                name,
                region_name="us-east-1",
                aws_access_key_id="none",
                aws_secret_access_key="none",
            )
            self._clients[name] = client
            self._stubs[name] = self._stack.enter_context(Stubber(client))
        return self._clients[name]

    def stub(self, name: str) -> Stubber:
        self.client(name)
        return self._stubs[name]

    def expect_metrics(
        self, namespace: str, dimensions: Mapping[str, str], span: Mapping[str, datetime], **values: list[float]
    ) -> None:
        """What is asked of a machine, and what CloudWatch knows: the values of each hour, by metric, and `count`."""
        listed = [{"Name": name, "Value": value} for name, value in dimensions.items()]
        asked = [(metric.lower(), metric, "Maximum") for metric in METRICS]
        queries = [
            {
                "Id": name,
                "MetricStat": {
                    "Metric": {"Namespace": namespace, "MetricName": metric, "Dimensions": listed},
                    "Period": 3600,
                    "Stat": statistic,
                },
            }
            for name, metric, statistic in [*asked, ("count", "CPUUtilization", "SampleCount")]
        ]
        results = [
            {"Id": name, "Label": name, "Values": some, "Timestamps": [BEGAN] * len(some), "StatusCode": "Complete"}
            for name, some in values.items()
        ]
        self.stub("cloudwatch").add_response(
            "get_metric_data", {"MetricDataResults": results}, {"MetricDataQueries": queries, **span}
        )


@pytest.fixture
def account() -> Iterator[Account]:
    with ExitStack() as stack:
        account = Account(stack)
        yield account
        for stub in account._stubs.values():
            stub.assert_no_pending_responses()


def training(count: int = 1) -> RecordedJob:
    described = {
        "TrainingJobName": "run",
        "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": count, "VolumeSizeInGB": 30},
        "TrainingStartTime": BEGAN,
        "TrainingEndTime": BEGAN + timedelta(minutes=20),
        "BillableTimeInSeconds": 1200,
    }
    job = read_job(described)
    assert job is not None
    return job


def test_takes_the_peak_of_all_hours(account: Account) -> None:
    account.expect_metrics(
        "/aws/sagemaker/TrainingJobs",
        {"Host": "run/algo-1"},
        HOURS,
        cpuutilization=[120.0, 80.0],
        memoryutilization=[10.0, 30.0],
        gpuutilization=[],
        count=[10.0, 10.0],
    )

    (advice,) = advise_jobs(account, [training()], usual_prices())

    assert (advice.measurements, advice.used) == (20, {"CPU": 0.3, "memory": 0.3})
    assert advice.smaller == "ml.m5.large"
    # A third of an hour at 0.23 and at 0.115.
    assert advice.saving_usd == pytest.approx(0.115 / 3)


def test_takes_the_busiest_of_several_machines_and_the_one_with_the_fewest_measurements(account: Account) -> None:
    for host, cpu, memory, count in (("run/algo-1", 160.0, 5.0, 19.0), ("run/algo-2", 8.0, 20.0, 17.0)):
        account.expect_metrics(
            "/aws/sagemaker/TrainingJobs",
            {"Host": host},
            HOURS,
            cpuutilization=[cpu],
            memoryutilization=[memory],
            count=[count],
        )

    (advice,) = advise_jobs(account, [training(2)], usual_prices())

    assert (advice.measurements, advice.used) == (17, {"CPU": 0.4, "memory": 0.2})
    assert advice.says == "not too large: 40 % of CPU"


def test_says_that_a_short_job_has_too_few_measurements(account: Account) -> None:
    account.expect_metrics("/aws/sagemaker/TrainingJobs", {"Host": "run/algo-1"}, HOURS)

    (advice,) = advise_jobs(account, [training()], usual_prices())

    assert advice.says == "too few measurements: 0 minutes, and 5 would do"


def test_finds_the_machines_of_a_transform_job_in_its_logs(account: Account) -> None:
    described = {
        "TransformJobName": "batch",
        "TransformResources": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
        "TransformStartTime": BEGAN,
        "TransformEndTime": BEGAN + timedelta(minutes=20),
    }
    job = read_job(described)
    assert job is not None
    streams = ["batch/i-0a1b-1763632200", "batch/i-0a1b-1763632200/data-log"]
    account.stub("logs").add_response(
        "describe_log_streams",
        {"logStreams": [{"logStreamName": name} for name in streams]},
        {"logGroupName": "/aws/sagemaker/TransformJobs", "logStreamNamePrefix": "batch/"},
    )
    account.expect_metrics(
        "/aws/sagemaker/TransformJobs",
        {"Host": "batch/i-0a1b"},
        HOURS,
        cpuutilization=[40.0],
        memoryutilization=[8.0],
        count=[20.0],
    )

    (advice,) = advise_jobs(account, [job], usual_prices())

    assert (advice.machine.kind, advice.smaller) == ("transform job", "ml.m5.large")


def test_goes_on_where_metrics_may_not_be_read(account: Account) -> None:
    account.stub("cloudwatch").add_client_error("get_metric_data", "AccessDenied")

    (advice,) = advise_jobs(account, [training()], usual_prices())

    assert advice.says == "its metrics cannot be read: AccessDenied"


def endpoint(**variant: object) -> Item:
    variants = [{"VariantName": "all", **variant}]
    properties = {"EndpointConfigName": "sales-3", "ProductionVariants": variants}
    return Item(kind="AWS::SageMaker::Endpoint", name="sales", maker=Maker.RUN, properties=properties)


NOW = datetime(2026, 11, 29, 21, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("created", "since"),
    [
        (datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 11, 1, 21, tzinfo=UTC)),
        (datetime(2026, 11, 20, 8, 40, tzinfo=UTC), datetime(2026, 11, 20, 9, tzinfo=UTC)),
    ],
)
def test_looks_at_an_endpoint_for_four_weeks_and_not_at_earlier_configurations(
    account: Account, created: datetime, since: datetime
) -> None:
    config = {
        "EndpointConfigName": "sales-3",
        "EndpointConfigArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint-config/sales-3",
        "ProductionVariants": [{"VariantName": "all", "ModelName": "m"}],
        "CreationTime": created,
    }
    account.stub("sagemaker").add_response("describe_endpoint_config", config, {"EndpointConfigName": "sales-3"})
    account.expect_metrics(
        "/aws/sagemaker/Endpoints",
        {"EndpointName": "sales", "VariantName": "all"},
        {"StartTime": since, "EndTime": datetime(2026, 11, 29, 22, tzinfo=UTC)},
        cpuutilization=[8.0] * 40,
        memoryutilization=[30.0] * 40,
        count=[60.0] * 40,
    )

    (advice,) = advise_endpoints(
        account, [endpoint(InstanceType="ml.m5.xlarge", CurrentInstanceCount=2)], usual_prices(), NOW
    )

    assert (advice.machine.name, advice.measurements) == ("sales/all", 40)
    # Two machines, 730 hours, at 0.23 and at 0.115.
    assert advice.says == "ml.m5.large would do: 4 % of CPU, 60 % of memory; saves 167.9000 USD each month"


def test_a_serverless_endpoint_has_no_machines(account: Account) -> None:
    assert advise_endpoints(account, [endpoint(ServerlessConfig={})], usual_prices(), NOW) == []


def invoke(account: Account, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    monkeypatch.setattr("boto3.Session", lambda: account)
    done = CliRunner().invoke(cli, ["cost", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_the_command_advises_beside_what_an_execution_has_cost(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = Recorded("run", (training(),), 20)
    monkeypatch.setattr("headrace.cost.executions.read_used", lambda *_: recorded)
    arn = "arn:aws:states:us-east-1:123456789012:execution:machine:run"
    for _ in range(2):
        account.expect_metrics(
            "/aws/sagemaker/TrainingJobs",
            {"Host": "run/algo-1"},
            HOURS,
            cpuutilization=[48.0],
            memoryutilization=[9.0],
            count=[20.0],
        )

    text = invoke(account, monkeypatch, "--execution", arn)
    (advice,) = json.loads(invoke(account, monkeypatch, "--execution", arn, "--json"))["sizing"]

    assert re.split(r"\s{2,}", text.splitlines()[-1]) == [
        "run",
        "training job",
        "ml.m5.xlarge",
        "12 %",
        "9 %",
        "ml.m5.large would do: 24 % of CPU, 18 % of memory; saves 0.0383 USD each execution",
    ]
    assert (advice["machine"]["name"], advice["smaller"]) == ("run", "ml.m5.large")
    assert advice["saving_usd"] == pytest.approx(0.115 / 3)


def test_the_command_advises_on_the_endpoints_that_stand(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.stub("sagemaker").add_client_error("describe_endpoint_config", "AccessDeniedException")
    stands = [endpoint(InstanceType="ml.m5.xlarge", InitialInstanceCount=1)]
    monkeypatch.setattr("headrace.cli.cost._read_living", lambda _: (stands, Assembly({}, {})))

    text = invoke(account, monkeypatch, "--env", "dev", "--assembly", "nowhere")

    assert text.splitlines()[-1].endswith("its metrics cannot be read: AccessDeniedException")
