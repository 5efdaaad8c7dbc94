"""Which errors a call can be answered with: those that its operation declares, and those that any operation has."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import botocore.session
from botocore.exceptions import UnknownServiceError

# https://docs.aws.amazon.com/sagemaker/latest/APIReference/CommonErrors.html, and what SageMaker itself answers with.
COMMON_ERRORS: Final = (
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InternalFailure",
    "InternalServerError",
    "MalformedHttpRequestException",
    "NotAuthorized",
    "OptInRequired",
    "RequestAbortedException",
    "RequestEntityTooLargeException",
    "RequestExpired",
    "RequestTimeoutException",
    "ServiceUnavailable",
    "ThrottlingException",
    "UnknownOperationException",
    "UnrecognizedClientException",
    "ValidationError",
    "ValidationException",
)
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html: its model declares few of them.
_S3_ERRORS: Final = (
    "AccessDenied",
    "BadDigest",
    "ConditionalRequestConflict",
    "EntityTooLarge",
    "ExpiredToken",
    "InternalError",
    "InvalidAccessKeyId",
    "InvalidArgument",
    "InvalidRequest",
    "NoSuchBucket",
    "NoSuchKey",
    "OperationAborted",
    "PreconditionFailed",
    "RequestTimeout",
    "RequestTimeTooSkewed",
    "ServiceUnavailable",
    "SignatureDoesNotMatch",
    "SlowDown",
)
_MODELS: Final = {"sagemaker": ("sagemaker", "sagemaker-runtime")}


def list_operations(service: str) -> frozenset[str]:
    """The operations of a service, by the name of its model; those of SageMaker's runtime are SageMaker's.

    Raises:
        UnknownServiceError: There is no such service.
    """
    return frozenset(name for model in _load(service) for name in model.operation_names)


def list_services() -> list[str]:
    """The names of the models that there are."""
    return list(botocore.session.get_session().get_available_services())


@cache
def list_codes(service: str, operation: str) -> frozenset[str]:
    """The codes of the errors that an operation can answer with; none where its service declares no errors at all."""
    (model,) = (model for model in _load(service) if operation in model.operation_names)
    declared = frozenset(_list_declared(model.operation_model(operation).error_shapes))
    if service == "s3":
        return declared | frozenset(_S3_ERRORS)
    if not any(model.shape_for(name).metadata.get("exception") for name in model.shape_names):
        return frozenset()
    return declared | frozenset(COMMON_ERRORS)


def _list_declared(shapes: Any) -> Iterator[str]:
    for shape in shapes:
        yield shape.name
        yield shape.metadata.get("error", {}).get("code", shape.name)


@cache
def _load(service: str) -> tuple[Any, ...]:
    session = botocore.session.get_session()
    return tuple(session.get_service_model(model) for model in _MODELS.get(service, (service,)))


__all__ = ["COMMON_ERRORS", "UnknownServiceError", "list_codes", "list_operations", "list_services"]
