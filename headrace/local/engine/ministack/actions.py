"""The action that a request is decided as, where MiniStack's own word for it is another than the one that is served."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from headrace.local.engine.operations import UncertainRequestError, read_operation
from headrace.local.engine.signatures import SentRequest

# What a request is called whose action the engine cannot tell: only an administrator may do that.
UNKNOWN: Final = "UnknownAction"
# Operations of Lambda that are not called as the action that they need.
_ACTIONS_OF_FUNCTIONS: Final[Mapping[str, str]] = {
    "GetLayerVersionByArn": "GetLayerVersion",
    "Invoke": "InvokeFunction",
    "InvokeWithResponseStream": "InvokeFunction",
}


def name_actions(extract: Callable[..., str | None]) -> Callable[..., str | None]:
    """What extracts the action of a request, which is never nothing but where the service itself decides."""

    def run(service: str, *request: Any) -> str | None:
        # Their operations are decided where they are served.
        if service in ("sagemaker", "application-autoscaling", "comprehend", "fsx", "textract"):
            return None
        if service == "lambda":
            return f"lambda:{_name_function_action(*request)}"
        return extract(service, *request) or f"{service}:{UNKNOWN}"

    return run


def _name_function_action(method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any) -> str:
    """The action of an operation of Lambda, most of which are called the same.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslambda.html
    """
    try:
        name = read_operation(SentRequest(method=method, path=path, query=query, headers=headers, body=body)).name
    except UncertainRequestError:
        return UNKNOWN
    return _ACTIONS_OF_FUNCTIONS.get(name, name)
