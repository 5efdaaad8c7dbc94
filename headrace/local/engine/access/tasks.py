"""What the role of a state machine needs for tasks of other services than SageMaker, and to wait for jobs."""

from collections.abc import Iterator, Mapping
from typing import Final

from headrace.local.engine.access.needs import Need, Request, name_sagemaker
from headrace.local.engine.cloud import ACCOUNT, REGION


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
    if ":lambda:" in resource and ":::" not in resource:
        return [Need(action="lambda:InvokeFunction", resource=resource)]
    service, _, operation = resource.split(":::")[-1].partition(":")
    operation = operation.split(".")[0].removesuffix(":2")
    action = f"{service}:{operation[:1].upper()}{operation[1:]}"
    member = _TASK_RESOURCES.get(action)
    if member is None:
        return [Need(action=action)]
    return [Need(action=_TASK_ACTIONS.get(action, action), resource=_name_task_resource(member, arguments))]


def _name_task_resource(member: str, arguments: Request) -> str:
    entries = arguments.get("Entries")
    given = entries[0] if isinstance(entries, list) and entries else arguments
    value = str(given.get(member, "default"))
    if value.startswith("arn:"):
        return value
    name = value.rpartition("/")[2]
    return f"arn:aws:{_TASK_PREFIXES[member].format(region=REGION, account=ACCOUNT)}{name}"


# Where tasks have the resource that their permission is checked on.
_TASK_RESOURCES: Final[Mapping[str, str]] = {
    "dynamodb:DeleteItem": "TableName",
    "dynamodb:GetItem": "TableName",
    "dynamodb:PutItem": "TableName",
    "dynamodb:UpdateItem": "TableName",
    "events:PutEvents": "EventBusName",
    "lambda:Invoke": "FunctionName",
    "sns:Publish": "TopicArn",
    "sqs:SendMessage": "QueueUrl",
    "states:StartExecution": "StateMachineArn",
}
_TASK_ACTIONS: Final[Mapping[str, str]] = {"lambda:Invoke": "lambda:InvokeFunction"}
_TASK_PREFIXES: Final[Mapping[str, str]] = {
    "EventBusName": "events:{region}:{account}:event-bus/",
    "FunctionName": "lambda:{region}:{account}:function:",
    "QueueUrl": "sqs:{region}:{account}:",
    "StateMachineArn": "states:{region}:{account}:stateMachine:",
    "TableName": "dynamodb:{region}:{account}:table/",
    "TopicArn": "sns:{region}:{account}:",
}
