"""`headrace deploy`: the platform on AWS, as far as the account may have it."""

import os
import subprocess
from typing import Any

import click

from headrace import contract
from headrace.cli.checkout_commands import CheckoutCommand
from headrace.cli.region import read_region, use_region


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
    if code and (refusal := attempt.find_refusal()):
        click.echo(refusal, err=True)
        return
    context.exit(code)
