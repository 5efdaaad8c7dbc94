"""Where normalized images come from: one address, by setting, by environment variable or from the deployed stacks.

https://abcdefghijklmnopqrstuvwxyz012345.lambda-url.eu-west-1.on.aws/    the function URL
arn:aws:s3-object-lambda:eu-west-1:123456789012:accesspoint/training     an Object Lambda access point
s3://training-abcdefghij--ol-s3                                          the same, by its alias
file:///data/raw                                                         a folder, normalized by this process
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import boto3

from headrace import contract
from headrace.errors import HeadraceError
from headrace.normalizer import contract as normalizer
from headrace.s3.addresses import SCHEME, S3Address, S3AddressError

ADDRESS_VARIABLE: Final = "HEADRACE_IMAGES"
_OBJECT_LAMBDA_ARN: Final = re.compile(r"arn:aws[a-z-]*:s3-object-lambda:[a-z0-9-]+:\d{12}:accesspoint/[a-z0-9-]+")


class DoorError(HeadraceError):
    """There is no way to normalized images, or it is not understood."""


class DoorKind(StrEnum):
    """The ways to normalized images, by the beginning of their addresses."""

    FUNCTION_URL = "function URL"
    OBJECT_LAMBDA = "Object Lambda"
    FOLDER = "folder"


@dataclass(frozen=True)
class Address:
    """A way to normalized images.

    Args:
        kind: Which of the ways it is.
        place: The URL, the ARN or alias, or the folder.
        transformation: What becomes of the objects there. Only a folder needs to be told; the others know.
    """

    kind: DoorKind
    place: str
    transformation: str = normalizer.DEFAULT_TRANSFORMATION


def parse_address(text: str) -> Address:
    """The address that a text means; a text without a scheme is a folder.

    Raises:
        DoorError: If it means none.
    """
    parts = urlsplit(text)
    if parts.scheme in {"http", "https"} and parts.netloc:
        return Address(DoorKind.FUNCTION_URL, text)
    if _OBJECT_LAMBDA_ARN.fullmatch(text):
        return Address(DoorKind.OBJECT_LAMBDA, text)
    if alias := _find_alias(text):
        return Address(DoorKind.OBJECT_LAMBDA, alias)
    if text and parts.scheme in {"", "file"} and Path(unquote(parts.path)).is_dir():
        return Address(DoorKind.FOLDER, unquote(parts.path))
    raise DoorError(
        f"{text!r} is not an address of normalized images: use the function's URL, "
        "the ARN or s3://ALIAS of an Object Lambda access point, or a folder that exists"
    )


def find_address(
    *,
    environment: str = "dev",
    consumer: str | None = None,
    region: str | None = None,
    transformation: str = normalizer.DEFAULT_TRANSFORMATION,
) -> Address:
    """The address in the variable HEADRACE_IMAGES, or else in the outputs of the deployed normalizer.

    Args:
        environment: Whose stacks to ask.
        consumer: Read through this consumer's Object Lambda access point if there is one, not the function URL.
            Its stack is one that AWS may refuse the account.
        region: Where the stacks stand, and what the settings name if they name one; without it, the Region of your AWS
            clients.
        transformation: That of the consumer: each has its own function URL.

    Raises:
        DoorError: If neither has one.
    """
    if text := os.environ.get(ADDRESS_VARIABLE):
        return replace(parse_address(text), transformation=transformation)
    outputs = _read_outputs(contract.stack_name(environment, "Normalizer"), region)
    if consumer and (access_point := _find_access_point(environment, consumer, outputs, region)):
        return Address(DoorKind.OBJECT_LAMBDA, access_point, transformation)
    output = normalizer.function_url_output(transformation)
    if output in outputs:
        return Address(DoorKind.FUNCTION_URL, outputs[output], transformation)
    if normalizer.FUNCTION_URL_OUTPUT in outputs:
        raise DoorError(
            f"the normalizer of '{environment}' has no function for '{transformation}': give a consumer of "
            f"normalizer.consumers this transformation and deploy, or set {ADDRESS_VARIABLE} to a folder"
        )
    raise DoorError(
        f"the normalizer of '{environment}' has no function URL, and {consumer or 'no consumer'} has no Object Lambda "
        f"access point: set normalizer.function_url, or {ADDRESS_VARIABLE} to a folder"
    )


def _find_alias(text: str) -> str | None:
    """The bucket of an address in S3 that names nothing in it."""
    if not text.startswith(SCHEME):
        return None
    try:
        address = S3Address.parse(text)
    except S3AddressError as error:
        raise DoorError(str(error)) from None
    return None if address.key else address.bucket


def _find_access_point(
    environment: str, consumer: str, of_normalizer: Mapping[str, str], region: str | None
) -> str | None:
    """In the stack for Object Lambda, or in the normalizer's, which had it in earlier versions."""
    # An ARN leads S3's clients to its Region, an alias does not.
    name_output = normalizer.object_lambda_arn_output if region else normalizer.object_lambda_output
    output = name_output(consumer)
    try:
        outputs = _read_outputs(contract.stack_name(environment, contract.OBJECT_LAMBDA_STACK), region)
    except DoorError:
        return of_normalizer.get(output)
    return outputs.get(output, of_normalizer.get(output))


def _read_outputs(stack: str, region: str | None) -> dict[str, str]:
    cloudformation: Any = boto3.client("cloudformation", region_name=region)
    try:
        (description,) = cloudformation.describe_stacks(StackName=stack)["Stacks"]
    except cloudformation.exceptions.ClientError as error:
        raise DoorError(f"cannot read the outputs of {stack}: {error}; deploy it, or set {ADDRESS_VARIABLE}") from error
    return {output["OutputKey"]: output["OutputValue"] for output in description.get("Outputs", [])}
