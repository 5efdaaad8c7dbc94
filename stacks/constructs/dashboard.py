"""What a person on call wants to see of an environment first, on one page of CloudWatch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import Aws, Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.constructs.endpoint_metrics import EndpointMetrics
from stacks.constructs.front_door_alarms import measure

_FIVE_MINUTES: Final = Duration.minutes(5)
_WIDTH: Final = 24
_HEIGHT: Final = 6
_JOBS: Final = ("ProcessingJobs", "TrainingJobs", "TransformJobs")
_OF_MACHINES: Final = ("CPUUtilization", "MemoryUtilization", "DiskUtilization")
# A title, and what is drawn.
_Graph = tuple[str, Sequence[cloudwatch.IMetric]]
_CONSOLE: Final = "https://console.aws.amazon.com/cloudwatch/home"


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What the dashboard shows.

    Args:
        alarms: All alarms of the environment.
        machines: Its state machines, by what people call them.
        endpoints: The names of its endpoints, by workload.
        api: The name of the API in front of endpoints, if there is one.
        trained: The metrics that training jobs report, by workload.
        function: The image normalizer, if it answers requests.
        efs_id: The file system on EFS, if there is one.
        fsx_id: The file system on FSx for Lustre, if there is one.
    """

    alarms: Sequence[cloudwatch.CfnAlarm]
    machines: Mapping[str, sfn.StateMachine]
    endpoints: Mapping[str, str]
    trained: Mapping[str, Sequence[str]]
    api: str | None = None
    function: lambda_.IFunction | None = None
    efs_id: str | None = None
    fsx_id: str | None = None


class Dashboard(Construct):
    """One page: alarms, executions, endpoints, their API, jobs, the normalizer, file systems, and where the logs are.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        name: What it is called.
        shown: What is on it.
    """

    def __init__(self, scope: Construct, construct_id: str, *, name: str, shown: Shown) -> None:
        super().__init__(scope, construct_id)
        self._shown = shown
        cloudwatch.Dashboard(
            self,
            "Resource",
            dashboard_name=name,
            default_interval=Duration.days(1),
            widgets=[
                [self._show_alarms()],
                *(_spread(row) for row in self._list_rows()),
                [self._show_logs()],
            ],
        )

    def _list_rows(self) -> Iterator[Sequence[_Graph]]:
        yield self._show_executions()
        for workload, name in self._shown.endpoints.items():
            yield _show_endpoint(workload, EndpointMetrics(name, _FIVE_MINUTES))
        if self._shown.api:
            yield _show_api(self._shown.api)
        yield [_search_training(workload, names) for workload, names in self._shown.trained.items()]
        yield [_search_machines(kind) for kind in _JOBS]
        if self._shown.function:
            yield _show_function(self._shown.function)
        if file_systems := list(_show_file_systems(self._shown.efs_id, self._shown.fsx_id)):
            yield file_systems

    def _show_alarms(self) -> cloudwatch.IWidget:
        alarms = [
            cloudwatch.Alarm.from_alarm_arn(self, f"Alarm{at}", alarm.attr_arn)
            for at, alarm in enumerate(self._shown.alarms)
        ]
        return cloudwatch.AlarmStatusWidget(title="Alarms", alarms=alarms, width=_WIDTH, height=_HEIGHT)

    def _show_executions(self) -> Sequence[_Graph]:
        machines = self._shown.machines.items()
        ended = {
            "succeeded": sfn.StateMachine.metric_succeeded,
            "failed": sfn.StateMachine.metric_failed,
            "too late": sfn.StateMachine.metric_timed_out,
            "stopped": sfn.StateMachine.metric_aborted,
        }
        return [
            (
                "Executions started",
                [machine.metric_started(label=name, period=_FIVE_MINUTES) for name, machine in machines],
            ),
            (
                "Executions ended",
                [
                    measure(machine, label=f"{name} {how}", period=_FIVE_MINUTES)
                    for name, machine in machines
                    for how, measure in ended.items()
                ],
            ),
            (
                "What executions took (ms)",
                [
                    machine.metric_time(label=name, period=_FIVE_MINUTES, statistic=cloudwatch.Stats.MAXIMUM)
                    for name, machine in machines
                ],
            ),
        ]

    def _show_logs(self) -> cloudwatch.IWidget:
        groups = [*(f"/aws/sagemaker/{kind}" for kind in _JOBS)]
        groups += [f"/aws/sagemaker/Endpoints/{name}" for name in self._shown.endpoints.values()]
        links = "\n".join(f"- [{group}]({_link(group)})" for group in groups)
        return cloudwatch.TextWidget(markdown=f"## Logs\n{links}", width=_WIDTH, height=_HEIGHT)


def _show_endpoint(workload: str, metrics: EndpointMetrics) -> Sequence[_Graph]:
    requests = ("Invocations", "Invocation4XXErrors", "Invocation5XXErrors")
    latency = [(name, statistic) for name in ("ModelLatency", "OverheadLatency") for statistic in ("p50", "p99")]
    return [
        (f"Requests to {workload}", [metrics.of_requests(name, cloudwatch.Stats.SUM) for name in requests]),
        (
            f"Latency of {workload} (µs)",
            [metrics.of_requests(name, statistic).with_(label=f"{name} {statistic}") for name, statistic in latency],
        ),
        (
            f"Machines of {workload} (%)",
            [metrics.of_machines(name, cloudwatch.Stats.AVERAGE) for name in _OF_MACHINES],
        ),
    ]


def _show_api(name: str) -> Sequence[_Graph]:
    """By its name alone: a dashboard that referred to it would have to change before it could go."""
    latency = [(metric, statistic) for metric in ("Latency", "IntegrationLatency") for statistic in ("p50", "p99")]
    return [
        (
            "Requests to the API in front of endpoints",
            [measure(name, metric, cloudwatch.Stats.SUM) for metric in ("Count", "4XXError", "5XXError")],
        ),
        (
            "Latency of the API in front of endpoints, and of the endpoints (ms)",
            [measure(name, metric, statistic).with_(label=f"{metric} {statistic}") for metric, statistic in latency],
        ),
    ]


def _search_training(workload: str, names: Sequence[str]) -> _Graph:
    """Metrics of jobs are called after the job, which is another one each time."""
    wanted = " OR ".join(f'"{name}"' for name in names)
    expression = f"SEARCH('{{/aws/sagemaker/TrainingJobs,TrainingJobName}} MetricName=({wanted})', 'Average', 60)"
    return (f"What training of {workload} reports", [_search(expression)])


def _search_machines(kind: str) -> _Graph:
    wanted = " OR ".join(f'"{name}"' for name in _OF_MACHINES)
    expression = f"SEARCH('{{/aws/sagemaker/{kind},Host}} MetricName=({wanted})', 'Average', 60)"
    return (f"Machines of {kind} (%)", [_search(expression)])


def _search(expression: str) -> cloudwatch.MathExpression:
    # Without a label of the search, each metric has its own name.
    return cloudwatch.MathExpression(expression=expression, using_metrics={}, label="", period=Duration.minutes(1))


def _show_function(function: lambda_.IFunction) -> Sequence[_Graph]:
    took = [
        function.metric_duration(label=statistic, statistic=statistic, period=_FIVE_MINUTES)
        for statistic in ("p50", "p99", "Maximum")
    ]
    counts = (function.metric_invocations, function.metric_errors, function.metric_throttles)
    return [
        ("Requests to the normalizer", [count(period=_FIVE_MINUTES) for count in counts]),
        ("What the normalizer took (ms)", took),
    ]


def _show_file_systems(efs_id: str | None, fsx_id: str | None) -> Iterator[_Graph]:
    if efs_id:
        yield ("EFS: operations (% of what it can do)", [_of_file_system("AWS/EFS", "PercentIOLimit", efs_id)])
        yield ("EFS: bytes", [_of_file_system("AWS/EFS", "TotalIOBytes", efs_id)])
    if fsx_id:
        yield ("FSx: free bytes", [_of_file_system("AWS/FSx", "FreeDataStorageCapacity", fsx_id)])
        read = ("DataReadBytes", "DataWriteBytes")
        yield ("FSx: bytes", [_of_file_system("AWS/FSx", name, fsx_id) for name in read])


def _of_file_system(namespace: str, name: str, file_system_id: str) -> cloudwatch.Metric:
    statistic = cloudwatch.Stats.MAXIMUM if name == "PercentIOLimit" else cloudwatch.Stats.SUM
    return cloudwatch.Metric(
        namespace=namespace,
        metric_name=name,
        dimensions_map={"FileSystemId": file_system_id},
        statistic=statistic,
        # Each minute has one datum of each disk: the sum of more than one would count what is free several times.
        period=Duration.minutes(1),
    )


def _spread(graphs: Sequence[_Graph]) -> list[cloudwatch.IWidget]:
    """Graphs side by side over the whole width."""
    width = _WIDTH // len(graphs)
    return [
        cloudwatch.GraphWidget(title=title, left=list(metrics), width=width, height=_HEIGHT)
        for title, metrics in graphs
    ]


def _link(group: str) -> str:
    """The page of the console that shows a log group, which spells slashes in its own way."""
    spelt = group.replace("/", "$252F")
    return f"{_CONSOLE}?region={Aws.REGION}#logsV2:log-groups/log-group/{spelt}"
