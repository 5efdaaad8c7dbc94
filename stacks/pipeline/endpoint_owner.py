"""Whose an endpoint is: seen before anything is trained for one that the state machine may not change."""

from aws_cdk import Aws, Stack

from stacks.ownership import pick_owner_tags
from stacks.pipeline.asl import CALL_SECONDS, Catch, Task, jsonata
from stacks.pipeline.endpoint_permissions import EndpointPermissions
from stacks.pipeline.sagemaker_tasks import BUSY, SageMakerTasks


def see_whose_endpoint(tasks: SageMakerTasks, *, next_state: str) -> Task:
    """See whether `$endpoint_name` may be changed, into `$is_ours`; where that fails, the change will tell.

    Its tags must be those of the workload, but for the endpoint of the settings, which an early version made without.
    """
    # ARNs have the names of endpoints in lower case.
    arn = Stack.of(tasks.scope).format_arn(service="sagemaker", resource="endpoint", resource_name="")
    tags = " and ".join(
        f"'{value}' in $states.result.Tags[Key = '{tag}'].Value" for tag, value in pick_owner_tags(tasks.tags).items()
    )
    return Task(
        resource=f"arn:{Aws.PARTITION}:states:::aws-sdk:sagemaker:listTags",
        arguments={"ResourceArn": jsonata(f"'{arn}' & $lowercase($endpoint_name)")},
        timeout_seconds=CALL_SECONDS,
        assign={"is_ours": jsonata(f"$lowercase($endpoint_name) = '{tasks.endpoint.lower()}' or {tags}")},
        next=next_state,
        retry=(BUSY,),
        catch=(Catch(errors=("States.ALL",), next=next_state),),
        permissions=(EndpointPermissions(tasks.scope, tasks.tags, tasks.endpoint).allow_looking(),),
    )
