"""What CloudWatch learns of an endpoint from SageMaker.

https://docs.aws.amazon.com/sagemaker/latest/dg/monitoring-cloudwatch.html
"""

from dataclasses import dataclass
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from stacks.pipeline.jobs import VARIANT_NAME

OF_REQUESTS: Final = "AWS/SageMaker"
OF_MACHINES: Final = "/aws/sagemaker/Endpoints"


@dataclass(frozen=True)
class EndpointMetrics:
    """The metrics of an endpoint.

    Args:
        endpoint_name: Its name.
        period: What a data point spans.
    """

    endpoint_name: str
    period: Duration

    def error_percent(self) -> cloudwatch.MathExpression:
        """The share of the requests that got a 5xx status: nothing without requests.

        SageMaker may leave out errors of which there are none.
        """
        return cloudwatch.MathExpression(
            expression="100 * FILL(errors, 0) / requests",
            using_metrics={
                "errors": self.of_requests("Invocation5XXErrors", cloudwatch.Stats.SUM),
                "requests": self.of_requests("Invocations", cloudwatch.Stats.SUM),
            },
            period=self.period,
        )

    def model_latency(self) -> cloudwatch.Metric:
        """What the model takes for the slowest of a hundred requests, in microseconds."""
        return self.of_requests("ModelLatency", "p99")

    def requests_while_standing(self) -> cloudwatch.MathExpression:
        """The number of requests, 0 where there were none; nothing while the endpoint has no machines.

        Of requests SageMaker says nothing where there are none. Machines say every minute how busy they are, so that
        there are samples only while they stand; serverless endpoints have none.
        """
        return cloudwatch.MathExpression(
            expression="IF(samples > 0, FILL(requests, 0))",
            using_metrics={
                "samples": self.of_machines("CPUUtilization", cloudwatch.Stats.SAMPLE_COUNT),
                "requests": self.of_requests("Invocations", cloudwatch.Stats.SUM),
            },
            period=self.period,
        )

    def of_requests(self, name: str, statistic: str) -> cloudwatch.Metric:
        """A metric of its requests."""
        return self._metric(OF_REQUESTS, name, statistic)

    def of_machines(self, name: str, statistic: str) -> cloudwatch.Metric:
        """A metric of the machines that it stands on."""
        return self._metric(OF_MACHINES, name, statistic)

    def _metric(self, namespace: str, name: str, statistic: str) -> cloudwatch.Metric:
        return cloudwatch.Metric(
            namespace=namespace,
            metric_name=name,
            dimensions_map={"EndpointName": self.endpoint_name, "VariantName": VARIANT_NAME},
            statistic=statistic,
            period=self.period,
        )
