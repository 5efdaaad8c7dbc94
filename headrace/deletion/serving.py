"""Stops what an environment is doing, and deletes what its executions and people have made outside of the stacks."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from botocore.exceptions import ClientError

from headrace.absence import forgiving_absence, is_absence
from headrace.deletion.clients import make_client
from headrace.deletion.data import FSX, HOLDERS, LOG_GROUP, MODEL_PACKAGE
from headrace.deletion.ledger import Entry, Ledger
from headrace.deletion.standing import StandingStack
from headrace.deletion.waiting import wait_until
from headrace.inventory import Item
from headrace.inventory.classifiers import CLASSIFIER, CLASSIFIER_ENDPOINT

STATE_MACHINE: Final = "AWS::StepFunctions::StateMachine"
RULE: Final = "AWS::Events::Rule"
SCHEDULE: Final = "AWS::Scheduler::Schedule"
EXECUTION: Final = "AWS::StepFunctions::Execution"
ENDPOINT: Final = "AWS::SageMaker::Endpoint"
CONFIGURATION: Final = "AWS::SageMaker::EndpointConfig"
MODEL: Final = "AWS::SageMaker::Model"
# SageMaker deletes no endpoint in these: https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribeEndpoint.html
_CHANGING: Final = ("Creating", "Updating", "SystemUpdating", "RollingBack")
_OF_SCHEDULES: Final = (
    "Name",
    "Description",
    "ScheduleExpression",
    "ScheduleExpressionTimezone",
    "FlexibleTimeWindow",
    "Target",
)
_CAUSE: Final = "the environment is being deleted"


def stop_starts(stacks: Sequence[StandingStack], ledger: Ledger) -> None:
    """Disable the rules and schedules that start executions: one that began now would make anew what is deleted."""
    events = make_client("events")
    for rule in (rule for stack in stacks for rule in stack.list_ids(RULE)):
        with ledger.trying(RULE, rule), forgiving_absence():
            # CloudFormation names a rule of the default event bus by its name, and any other BUS|NAME.
            name = rule.rpartition("|")[2]
            targets = events.list_targets_by_rule(Rule=name)["Targets"]
            if any(":states:" in target["Arn"] for target in targets):
                events.disable_rule(Name=name)
    scheduler = make_client("scheduler")
    for name in (name for stack in stacks for name in stack.list_ids(SCHEDULE)):
        with ledger.trying(SCHEDULE, name), forgiving_absence():
            # An update replaces all of a schedule.
            found = scheduler.get_schedule(Name=name)
            kept = {key: value for key, value in found.items() if key in _OF_SCHEDULES}
            scheduler.update_schedule(**kept, State="DISABLED")


def stop_executions(stacks: Sequence[StandingStack], ledger: Ledger) -> None:
    """Stop what the state machines of some stacks are doing, and so the jobs that they wait for."""
    states = make_client("stepfunctions")
    for arn in (arn for stack in stacks for arn in stack.list_ids(STATE_MACHINE)):
        with ledger.trying(STATE_MACHINE, arn), forgiving_absence():
            pages = states.get_paginator("list_executions").paginate(stateMachineArn=arn, statusFilter="RUNNING")
            for execution in [execution["executionArn"] for page in pages for execution in page["executions"]]:
                with ledger.deleting(EXECUTION, execution):
                    states.stop_execution(executionArn=execution, cause=_CAUSE)


def delete_made(items: Collection[Item], ledger: Ledger) -> None:
    """Delete what executions and people have made, each kind once what uses it is gone.

    What something uses that could not be deleted stays: by that alone, the next run knows whose it is.
    """
    for kind, delete in MADE.items():
        for item in (item for item in items if item.kind == kind):
            if user := _find_user(item, items, ledger):
                ledger.failed.append(Entry(kind, item.name, f"{user} needs it and stays"))
                continue
            with ledger.deleting(kind, item.name):
                delete(item)


def _find_user(item: Item, items: Collection[Item], ledger: Ledger) -> str:
    """What uses an endpoint configuration or a model, and could not be deleted."""
    failed = {(entry.kind, entry.name) for entry in ledger.failed}
    for user in (user for user in items if (user.kind, user.name) in failed):
        used = {(CONFIGURATION, user.properties.get("EndpointConfigName"))} if user.kind == ENDPOINT else set()
        used |= {(MODEL, variant.get("ModelName")) for variant in user.properties.get("ProductionVariants", ())}
        if (item.kind, item.name) in used:
            return user.name
    return ""


def _stop_job(item: Item) -> None:
    """Stop a job and wait until it does nothing any more; SageMaker keeps it in its list of jobs."""
    sagemaker = make_client("sagemaker")
    word = item.kind.rpartition("::")[2]
    operation = word.replace("Job", "_job").lower()
    try:
        getattr(sagemaker, f"stop_{operation}")(**{f"{word}Name": item.name})
    except ClientError as error:
        # It has ended meanwhile.
        if not error.response["Error"]["Code"].startswith("Validation"):
            raise
    describe = getattr(sagemaker, f"describe_{operation}")
    wait_until(
        lambda: describe(**{f"{word}Name": item.name})[f"{word}Status"] not in ("InProgress", "Stopping"),
        f"{item.name} to stop",
    )


def _deregister(item: Item) -> None:
    """Take an endpoint out of scaling, whose alarms would go on costing when it is gone."""
    make_client("application-autoscaling").deregister_scalable_target(
        ServiceNamespace="sagemaker",
        ResourceId=item.name,
        ScalableDimension=item.properties["ScalableDimension"],
    )


def _delete_alarm(item: Item) -> None:
    make_client("cloudwatch").delete_alarms(AlarmNames=[item.name])


def _delete_endpoint(item: Item) -> None:
    """Delete an endpoint once nothing is being done to it, and wait until it is gone."""
    sagemaker = make_client("sagemaker")

    def read_status() -> str:
        try:
            return str(sagemaker.describe_endpoint(EndpointName=item.name)["EndpointStatus"])
        except ClientError as error:
            if is_absence(error):
                return ""
            raise

    wait_until(lambda: read_status() not in _CHANGING, f"{item.name} to be made or updated")
    if read_status() not in ("", "Deleting"):
        sagemaker.delete_endpoint(EndpointName=item.name)
    wait_until(lambda: not read_status(), f"{item.name} to be deleted")


def _delete_classifier_endpoint(item: Item) -> None:
    """Delete an endpoint of Comprehend's, and wait until it is gone: its classifier cannot be deleted before."""
    comprehend = make_client("comprehend")

    def read_status() -> str:
        try:
            return str(comprehend.describe_endpoint(EndpointArn=item.name)["EndpointProperties"]["Status"])
        except ClientError as error:
            if is_absence(error):
                return ""
            raise

    wait_until(lambda: read_status() != "CREATING", f"{item.name} to be made")
    if read_status() not in ("", "DELETING"):
        comprehend.delete_endpoint(EndpointArn=item.name)
    wait_until(lambda: not read_status(), f"{item.name} to be deleted")


def _delete_classifier(item: Item) -> None:
    """Stop the training of a classifier, and delete it."""
    comprehend = make_client("comprehend")

    def read_status() -> str:
        found = comprehend.describe_document_classifier(DocumentClassifierArn=item.name)
        return str(found["DocumentClassifierProperties"]["Status"])

    if read_status() in ("SUBMITTED", "TRAINING"):
        comprehend.stop_training_document_classifier(DocumentClassifierArn=item.name)
        wait_until(lambda: read_status() not in ("SUBMITTED", "TRAINING", "STOP_REQUESTED"), f"{item.name} to stop")
    comprehend.delete_document_classifier(DocumentClassifierArn=item.name)


def _delete_file_system(item: Item) -> None:
    """Delete a file system once the jobs that mount it have ended, and wait: it has addresses in the network."""
    HOLDERS[FSX].delete(item.name)


def _delete_log_group(item: Item) -> None:
    make_client("logs").delete_log_group(logGroupName=item.name)


def _delete_configuration(item: Item) -> None:
    make_client("sagemaker").delete_endpoint_config(EndpointConfigName=item.name)


def _delete_model(item: Item) -> None:
    make_client("sagemaker").delete_model(ModelName=item.name)


def _delete_version(item: Item) -> None:
    make_client("sagemaker").delete_model_package(ModelPackageName=item.name)


# How what is made at run time is deleted, in this order.
MADE: Final[Mapping[str, Callable[[Item], None]]] = {
    "AWS::SageMaker::ProcessingJob": _stop_job,
    "AWS::SageMaker::TrainingJob": _stop_job,
    "AWS::SageMaker::TransformJob": _stop_job,
    FSX: _delete_file_system,
    "AWS::ApplicationAutoScaling::ScalableTarget": _deregister,
    "AWS::CloudWatch::Alarm": _delete_alarm,
    ENDPOINT: _delete_endpoint,
    # SageMaker makes one for each endpoint.
    LOG_GROUP: _delete_log_group,
    CONFIGURATION: _delete_configuration,
    MODEL: _delete_model,
    MODEL_PACKAGE: _delete_version,
    CLASSIFIER_ENDPOINT: _delete_classifier_endpoint,
    CLASSIFIER: _delete_classifier,
}
