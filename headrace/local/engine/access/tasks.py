"""What the role of a state machine needs for tasks of other services than SageMaker, and to wait for jobs."""

from collections.abc import Iterator, Mapping
from typing import Final

from headrace.local.engine.access.needs import Need, Request, name_sagemaker
from headrace.local.engine.access.qualifiers import describe_qualifier, split_qualified
from headrace.local.engine.cloud import ACCOUNT, REGION

_OPTIMIZED: Final = "arn:aws:states:::"


def list_waiting_needs(kind: str, request: Request) -> Iterator[Need]:
    """What a state machine's role needs besides, to wait for a job and to stop it.

    https://docs.aws.amazon.com/step-functions/latest/dg/sagemaker-iam.html
    """
    job = name_sagemaker(kind, request[f"{kind}Name"])
    yield from (Need(action=f"sagemaker:{verb}{kind}", resource=job) for verb in ("Describe", "Stop"))
    yield Need(action="sagemaker:ListTags", resource=job)
    rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/StepFunctionsGetEventsForSageMaker{kind}sRule"
    yield from (Need(action=f"events:{verb}", resource=rule) for verb in ("DescribeRule", "PutRule", "PutTargets"))


def list_task_needs(resource: str, arguments: Request) -> list[Need]:
    """What a state machine's role needs for a task that calls another service than SageMaker.

    Args:
        resource: The task's resource.
        arguments: Its arguments.
    """
    if not resource.startswith(_OPTIMIZED):
        return [Need(action="lambda:InvokeFunction", resource=resource)]
    service, _, operation = resource.removeprefix(_OPTIMIZED).partition(":")
    operation = operation.split(".")[0].removesuffix(":2")
    action = f"{service}:{operation[:1].upper()}{operation[1:]}"
    places = arguments.get("Entries", []) if action == "events:PutEvents" else [arguments]
    resources = dict.fromkeys(_name_task_resource(action, place) for place in places)
    return [
        Need(
            action=_TASK_ACTIONS.get(action, action),
            resource=split_qualified(name)[0],
            context=describe_qualifier(name),
        )
        for name in resources
    ]


def is_optimized(resource: str, service: str) -> bool:
    """Whether a task's resource is an integration of a service, and not something that only has its name."""
    return resource.startswith(f"{_OPTIMIZED}{service}:")


def _name_task_resource(action: str, place: Request) -> str:
    member = next((name for name in _TASK_RESOURCES.get(action, ()) if place.get(name)), "")
    value = str(place.get(member) or _DEFAULTS.get(action, "*"))
    if value == "*" or value.startswith("arn:"):
        return value
    kind = member or _TASK_RESOURCES[action][0]
    return f"arn:aws:{_TASK_PREFIXES[kind].format(region=REGION, account=ACCOUNT)}{value.rpartition('/')[2]}"


# Where tasks have the resource that their permission is checked on.
_TASK_RESOURCES: Final[Mapping[str, tuple[str, ...]]] = {
    "dynamodb:DeleteItem": ("TableName",),
    "dynamodb:GetItem": ("TableName",),
    "dynamodb:PutItem": ("TableName",),
    "dynamodb:UpdateItem": ("TableName",),
    "events:PutEvents": ("EventBusName",),
    "lambda:Invoke": ("FunctionName",),
    "sns:Publish": ("TopicArn", "TargetArn"),
    "sqs:SendMessage": ("QueueUrl",),
    "states:StartExecution": ("StateMachineArn",),
}
_DEFAULTS: Final[Mapping[str, str]] = {"events:PutEvents": "default"}
_TASK_ACTIONS: Final[Mapping[str, str]] = {"lambda:Invoke": "lambda:InvokeFunction"}
_TASK_PREFIXES: Final[Mapping[str, str]] = {
    "EventBusName": "events:{region}:{account}:event-bus/",
    "FunctionName": "lambda:{region}:{account}:function:",
    "QueueUrl": "sqs:{region}:{account}:",
    "StateMachineArn": "states:{region}:{account}:stateMachine:",
    "TableName": "dynamodb:{region}:{account}:table/",
    "TargetArn": "sns:{region}:{account}:",
    "TopicArn": "sns:{region}:{account}:",
}
