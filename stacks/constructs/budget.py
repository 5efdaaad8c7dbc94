"""What an environment may cost a month, told of before it is exceeded."""

from collections.abc import Mapping
from typing import Final

from aws_cdk import Aws, Stack
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from constructs import Construct

from headrace import contract
from stacks.settings.alarms import BudgetSettings

BUDGETS: Final = iam.ServicePrincipal("budgets.amazonaws.com")

_LIMITS: Final = (("ACTUAL", 80), ("ACTUAL", 100), ("FORECASTED", 100))


class Budget(Construct):
    """A monthly budget for everything that carries the tags of an environment, or for the account without any.

    AWS counts what carries them only once they are activated as cost-allocation tags.

    Args:
        scope: Where it lives.
        construct_id: Its id there.
        settings: How much it is.
        environment: The environment that it is named after.
        tags: The tags.
        topic: What it notifies.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: BudgetSettings,
        environment: str,
        tags: Mapping[str, str],
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        budgets.CfnBudget(
            self,
            "Resource",
            budget=budgets.CfnBudget.BudgetDataProperty(
                # Budgets belong to no Region, and an environment may stand in two.
                budget_name=f"{contract.STACK_PREFIX}{environment}-{Aws.REGION}",
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(amount=settings.monthly_usd, unit="USD"),
                filter_expression=_match(tags) if tags else None,
                metrics=["UnblendedCost"],
            ),
            notifications_with_subscribers=[_notify(topic, kind, percent) for kind, percent in _LIMITS],
        )
        # https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html
        self.conditions: Mapping[str, Mapping[str, str]] = {
            "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
            "ArnLike": {"aws:SourceArn": f"arn:{Aws.PARTITION}:budgets::{Stack.of(self).account}:*"},
        }


def _match(tags: Mapping[str, str]) -> budgets.CfnBudget.ExpressionProperty:
    """What carries all of some tags."""
    each = [
        budgets.CfnBudget.ExpressionProperty(tags=budgets.CfnBudget.TagValuesProperty(key=key, values=[value]))
        for key, value in tags.items()
    ]
    return each[0] if len(each) == 1 else budgets.CfnBudget.ExpressionProperty(and_=each)


def _notify(topic: sns.ITopic, kind: str, percent: int) -> budgets.CfnBudget.NotificationWithSubscribersProperty:
    return budgets.CfnBudget.NotificationWithSubscribersProperty(
        notification=budgets.CfnBudget.NotificationProperty(
            notification_type=kind,
            comparison_operator="GREATER_THAN",
            threshold=percent,
            threshold_type="PERCENTAGE",
        ),
        subscribers=[budgets.CfnBudget.SubscriberProperty(subscription_type="SNS", address=topic.topic_arn)],
    )
