"""The CDK app of the account: what it has once in a Region, whichever environments are in it."""

import aws_cdk as cdk

from stacks.account_stack import AccountStack
from stacks.program import run
from stacks.settings.account import AccountSettings

STACK_NAME = "headrace-account"


def build(app: cdk.App) -> cdk.App:
    """Add the account's stack."""
    settings = AccountSettings.from_context(app.node)
    AccountStack(app, "Account", settings=settings, stack_name=STACK_NAME)
    for tag, value in settings.tags.items():
        cdk.Tags.of(app).add(tag, value)
    return app


if __name__ == "__main__":
    run(build)
