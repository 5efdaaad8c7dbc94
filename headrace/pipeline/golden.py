"""Golden requests on AWS and on the local cloud: the endpoint that answers them, and where the pipeline reads them."""

from collections.abc import Callable
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from headrace import contract
from headrace.errors import HeadraceError
from headrace.golden.answers import UnansweredError
from headrace.golden.requests import MOST_BYTES, GoldenRequest, GoldenRequestError
from headrace.pipeline.machines import read_outputs
from headrace.recipes import Recipe
from headrace.s3.addresses import S3Address

_STORAGE: Final = "Storage"
# An endpoint has 60 seconds for an answer. A second try would hide that the first one failed.
_ONCE: Final = Config(retries={"total_max_attempts": 1}, read_timeout=70)
# What an endpoint says of one request; everything else would be said of each.
_OF_ONE_REQUEST: Final = frozenset(
    {"InternalDependencyException", "InternalFailure", "ModelError", "ModelNotReadyException", "ServiceUnavailable"}
)
_MISSING: Final = ("NoSuchBucket", "NoSuchKey")


class NothingToAskError(HeadraceError):
    """The environment lacks what a command needs of it."""


def find_endpoint(environment: str, recipe: Recipe) -> str:
    """The endpoint of a workload that executions update when their input names none.

    Raises:
        NothingToAskError: If the stack does not stand, or its executions make no endpoint.
    """
    return _find(environment, recipe.stack_id, recipe.endpoint_name_output, f"no endpoint for {recipe}; name one")


def find_place(environment: str, recipe: Recipe, name: str) -> S3Address:
    """Where the pipeline reads a workload's golden requests.

    Args:
        environment: The environment.
        recipe: The workload.
        name: The setting `endpoint.golden.requests`.

    Raises:
        NothingToAskError: If the raw bucket does not stand.
    """
    bucket = _find(environment, _STORAGE, contract.RAW_BUCKET_OUTPUT, "no raw bucket; deploy it")
    return S3Address(bucket, f"{contract.golden_prefix(recipe.name)}{name}")


def open_endpoint(name: str) -> Callable[[GoldenRequest], bytes]:
    """What sends a request to an endpoint and returns the body of its answer.

    It raises UnansweredError where the endpoint has no answer to this one request, and botocore's own errors where it
    would have none to any: it is not there, or may not be asked.
    """
    runtime: Any = boto3.client("sagemaker-runtime", config=_ONCE)

    def send(request: GoldenRequest) -> bytes:
        try:
            answer = runtime.invoke_endpoint(
                EndpointName=name, ContentType=request.content_type, Accept=request.accept, Body=request.body
            )
            return bytes(answer["Body"].read())
        except (ConnectionClosedError, ReadTimeoutError) as error:
            raise UnansweredError(str(error)) from error
        except ClientError as error:
            said = error.response["Error"]
            if said["Code"] not in _OF_ONE_REQUEST:
                raise
            raise UnansweredError(f"{said['Code']}: {said['Message']}") from error

    return send


def download_requests(place: S3Address) -> bytes:
    """The file of golden requests that the pipeline reads.

    Raises:
        GoldenRequestError: If there is none.
    """
    try:
        body = _s3().get_object(Bucket=place.bucket, Key=place.key)["Body"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in _MISSING:
            raise
        raise GoldenRequestError(
            f"{place} is not there: put one there with 'headrace pipeline golden record --upload', or name a file"
        ) from None
    return bytes(body.read(MOST_BYTES + 1))


def refuse_taken(place: S3Address) -> None:
    """Refuse to go on where a file of golden requests is already there; uploading it is refused then, too.

    Raises:
        GoldenRequestError: If there is one.
    """
    try:
        _s3().head_object(Bucket=place.bucket, Key=place.key)
    except ClientError as error:
        # HEAD has no body that names the error. Who may not list is told 403 of what is not there.
        if error.response["Error"]["Code"] not in (*_MISSING, "404", "403"):
            raise
        return
    raise _describe_taken(place)


def upload_requests(place: S3Address, content: bytes, *, replaces: bool) -> None:
    """Put a file of golden requests where the pipeline reads it.

    Raises:
        GoldenRequestError: If there is another one and it may not be replaced.
    """
    condition = {} if replaces else {"IfNoneMatch": "*"}
    try:
        _s3().put_object(Bucket=place.bucket, Key=place.key, Body=content, **condition)
    except ClientError as error:
        if error.response["Error"]["Code"] != "PreconditionFailed":
            raise
        # After a lost answer, the client tries again, and finds what it has put there itself.
        if download_requests(place) != content:
            raise _describe_taken(place) from None


def _describe_taken(place: S3Address) -> GoldenRequestError:
    return GoldenRequestError(f"{place} is already there; replace it with --force")


def _find(environment: str, stack: str, output: str, problem: str) -> str:
    outputs = read_outputs(environment, stack)
    if output not in outputs:
        raise NothingToAskError(
            f"the environment '{environment}' has {problem}, or choose another with --env, --workload or --region; "
            "--local is for the local cloud"
        )
    return outputs[output]


def _s3() -> Any:
    return boto3.client("s3")
