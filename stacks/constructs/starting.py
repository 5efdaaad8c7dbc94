"""What starts executions by itself, with a queue for what it could not start, and an alarm on that."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.nag import acknowledge


class Starting(Construct):
    """Holds rules or schedules that start executions; what they cannot start stays in `dead_letters` for two weeks.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        failure: What has happened then, as a sentence for people.
    """

    def __init__(self, scope: Construct, construct_id: str, *, failure: str) -> None:
        super().__init__(scope, construct_id)
        self._failure = failure
        self.dead_letters = self._create_queue()

    def add_failure_alarm(self) -> None:
        """An alarm for what has started nothing."""
        cloudwatch.Alarm(
            self,
            "NothingStarted",
            alarm_description=self._failure,
            metric=self.dead_letters.metric_approximate_number_of_messages_visible(
                period=Duration.minutes(5), statistic=cloudwatch.Stats.MAXIMUM
            ),
            threshold=1,
            evaluation_periods=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            # SQS reports nothing of a queue that has been empty for hours.
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )

    def _create_queue(self) -> sqs.Queue:
        queue = sqs.Queue(
            self,
            "NotStarted",
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        acknowledge(
            queue,
            {"AwsSolutions-SQS3": "It is the dead-letter queue; nothing reads it but people, so nothing fails on it."},
        )
        return queue
