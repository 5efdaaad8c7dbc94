"""What the CDK command line runs: an app and, over it, cdk-nag."""

import sys
from collections.abc import Callable

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from headrace.errors import HeadraceError


def run(build: Callable[[cdk.App], cdk.App]) -> None:
    """Synthesize an app, and check it; settings that cannot be end the program with what is wrong.

    Args:
        build: Adds the app's stacks, as its settings say.
    """
    try:
        # They name no line of Python, and cost Node a tenth of its time.
        app = build(cdk.App(stack_traces=False))
    except HeadraceError as error:
        sys.exit(str(error))
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()
