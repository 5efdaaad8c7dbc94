"""`headrace deploy`: the platform on AWS, as far as the account may have it."""

import os
import subprocess
from typing import TYPE_CHECKING, Any

import click

from headrace import contract
from headrace.cli.checkout_commands import CheckoutCommand
from headrace.cli.region import read_region, use_region

if TYPE_CHECKING:
    from headrace.object_lambda import ObjectLambdaAttempt


@click.command(cls=CheckoutCommand)
@click.option("--env", "environment", default="dev", show_default=True, help="The environment.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
@click.pass_context
def deploy(context: click.Context, environment: str, arguments: tuple[str, ...]) -> None:
    """Deploy every stack to the AWS account of your credentials; ARGUMENTS after `--` go to `cdk deploy`.

    The repositories must have their container images beforehand: `make deploy` sees to it. Where AWS refuses the
    account S3 Object Lambda, everything else is deployed; the command says so and exits with 0.

    Example: headrace deploy --env prod -- --require-approval never
    """
    use_region(read_region(environment))
    import boto3

    from headrace.cdk import find_cdk, find_toolchain
    from headrace.checkout import CHECKOUT
    from headrace.object_lambda import ObjectLambdaAttempt

    cloudformation: Any = boto3.client("cloudformation")
    attempt = ObjectLambdaAttempt(cloudformation, contract.stack_name(environment, contract.OBJECT_LAMBDA_STACK))
    command = [*find_cdk(), "deploy", "--all", "--context", f"env={environment}", *arguments]
    code = subprocess.run(command, cwd=CHECKOUT, env={**os.environ, **find_toolchain()}, check=False).returncode
    context.exit(code and _explain(attempt, code))


def _explain(attempt: "ObjectLambdaAttempt", code: int) -> int:
    """Say what a deployment that failed has left out, if it is Object Lambda alone; the exit code for that."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        refusal, hint = attempt.find_refusal(), attempt.find_hint()
    except (BotoCoreError, ClientError) as error:
        # CDK has said why it failed, and this must not take the place of that.
        click.echo(f"whether S3 Object Lambda alone was left out is not known: {error}", err=True)
        return code
    if refusal or hint:
        click.echo(refusal or hint, err=True)
    return 0 if refusal else code
