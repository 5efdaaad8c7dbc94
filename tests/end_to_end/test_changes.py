"""Switches turned on a living environment of the local cloud, there and back, as `headrace changes` says."""

import copy
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from headrace.changes import Effect, Plan, make_plan, read_deployed, read_folder
from headrace.changes.assemblies import list_resources
from headrace.changes.kinds import ADDRESSES, HOLDS
from headrace.changes.planning import Verb
from headrace.local.engine import file_systems
from headrace.local.engine.cloud import ACCOUNT, REGION, LocalCloud
from headrace.local.platform.deployment import deploy as deploy_by_cdk
from tests.conftest import PROJECT
from tests.deploying import deploy, running_with_app
from tests.local_clouds import clients_of
from tests.stacks.conftest import SWITCHES
from tests.stacks.synthesis import assemble
from tests.stacks.transitions import SWITCHED, configure

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

DEV = SWITCHED["dev"]
# Each is turned on the same environment, and back.
TURNED = ("efs-read", "fsx", "key", "bulk", "door", "consumer", "private-notebook", "normalizer")
CONTENT = bytes(range(256)) * 40
KEY = "images/photographs/one.jpg"
RETAINED: Mapping[str, Any] = {"retain_data": True}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """dev as cdk.json has it, with an object in each bucket."""
    with running_with_app(tmp_path_factory.mktemp("cloud"), synthesize({})) as cloud:
        with clients_of(cloud):
            for bucket in list_buckets():
                boto3.client("s3").put_object(Bucket=bucket, Key=KEY, Body=CONTENT)
        yield cloud


@pytest.fixture(autouse=True)
def clients(cloud: LocalCloud) -> Iterator[None]:
    with clients_of(cloud):
        yield


def synthesize(changes: Mapping[str, Any]) -> Path:
    return assemble(configure("dev", copy.deepcopy(dict(changes))))


def list_buckets() -> list[str]:
    (stack,) = boto3.client("cloudformation").describe_stacks(StackName="headrace-dev-storage")["Stacks"]
    return sorted(output["OutputValue"] for output in stack["Outputs"] if output["OutputKey"].endswith("BucketName"))


def read_data() -> dict[str, bytes]:
    s3: Any = boto3.client("s3")
    return {bucket: s3.get_object(Bucket=bucket, Key=KEY)["Body"].read() for bucket in list_buckets()}


def read_standing() -> dict[tuple[str, str], tuple[str, str]]:
    """The type and the physical id of each resource that stands in a stack of the environment."""
    api: Any = boto3.client("cloudformation")
    return {
        (stack["StackName"], resource["LogicalResourceId"]): (resource["ResourceType"], resource["PhysicalResourceId"])
        for stack in api.describe_stacks()["Stacks"]
        if stack["StackName"].startswith("headrace-dev-")
        for resource in api.describe_stack_resources(StackName=stack["StackName"])["StackResources"]
    }


def change(changes: Mapping[str, Any]) -> Plan:
    """Bring the environment to other settings as the command says; what it said."""
    folder = synthesize(changes)
    wanted = read_folder(folder)
    api: Any = boto3.client("cloudformation")
    plan = make_plan(read_deployed(api, "dev", wanted.stack_names), wanted)
    for stack in plan.protected:
        api.update_termination_protection(StackName=plan.names[stack], EnableTerminationProtection=False)
    for step in plan.steps:
        assert step.verb in (Verb.DEPLOY_FIRST, Verb.DEPLOY_ALL)
        deploy(folder, *(step.stacks if step.verb is Verb.DEPLOY_FIRST else ()))
    return plan


@pytest.mark.parametrize("switch", TURNED)
def test_turns_a_switch_there_and_back_without_losing_a_byte_unsaid(switch: str) -> None:
    data = read_data()
    for changes in (DEV[switch], {}):
        before = read_standing()

        plan = change(changes)

        after = read_standing()
        gone = {name for name, thing in before.items() if after.get(name) != thing}
        said = {(plan.names[finding.stack], finding.resource) for finding in plan.findings}
        assert {name for name in gone if before[name][0] in {**HOLDS, **ADDRESSES}} <= said
        assert not plan.fails
        assert read_data() == data
        assert list_stack_names() == {
            name
            for stack, name in plan.names.items()
            if list_resources(read_folder(synthesize(changes)).templates[stack])
        }


def list_stack_names() -> set[str]:
    return {stack for stack, _ in read_standing()}


def test_leaves_a_file_system_behind_with_its_files_where_data_is_retained(cloud: LocalCloud) -> None:
    change({**RETAINED, **SWITCHES["efs"]})
    (folder,) = file_systems.list_folders(cloud.root).values()
    (folder / "list.lst").write_bytes(CONTENT)

    plan = change(RETAINED)

    assert [finding.effect for finding in plan.findings if finding.kind == "AWS::EFS::FileSystem"] == [
        Effect.LEFT_BEHIND
    ]
    assert (folder / "list.lst").read_bytes() == CONTENT
    change({})


def test_tells_who_subscribed_to_the_topic_of_every_alarm_while_there_is_one() -> None:
    change(SWITCHES["alarms"])
    sns, cloudwatch = boto3.client("sns"), boto3.client("cloudwatch")
    (topic,) = (found["TopicArn"] for found in sns.list_topics()["Topics"])
    alarms = {alarm["AlarmName"] for alarm in cloudwatch.describe_alarms()["MetricAlarms"]}
    queue = subscribe_queue(topic)

    for alarm in alarms:
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="an execution failed")

    # Three of the normalizer, two of each state machine.
    assert len(alarms) == 9
    assert {notice["AlarmName"] for notice in receive(queue, 9)} == alarms
    change({})
    assert sns.list_topics()["Topics"] == []
    assert len(cloudwatch.describe_alarms()["MetricAlarms"]) == 3


def subscribe_queue(topic: str) -> str:
    """The address of a queue that gets what a topic publishes."""
    name = "pager"
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    principal = {"Service": "sns.amazonaws.com"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    queue: str = boto3.client("sqs").create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"]
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return queue


def receive(queue: str, count: int) -> Iterator[dict[str, Any]]:
    """What was published, until there is as much as is expected or no more comes."""
    sqs: Any = boto3.client("sqs")
    while count > 0 and (
        messages := sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=10).get("Messages", [])
    ):
        count -= len(messages)
        yield from (json.loads(json.loads(message["Body"])["Message"]) for message in messages)


def test_the_cdk_command_line_deletes_a_stack_that_is_switched_off(cloud: LocalCloud) -> None:
    data = read_data()
    for changes in (DEV["efs-read"], {}, DEV["normalizer"]):
        folder = synthesize(changes)

        deploy_by_cdk(cloud, folder)

        wanted = read_folder(folder)
        assert list_stack_names() == {
            wanted.stack_names[stack] for stack, template in wanted.templates.items() if list_resources(template)
        }
        assert read_data() == data
    change({})


def test_the_command_compares_what_stands_with_the_app() -> None:
    def ask(*arguments: str) -> tuple[int, dict[str, Any]]:
        command = [sys.executable, "-m", "headrace", "changes", "--json", *arguments]
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)
        return done.returncode, json.loads(done.stdout)

    code, report = ask()

    assert (code, report["findings"], report["commands"]) == (0, [], ["cdk deploy --all --context env=dev"])
    code, report = ask(str(synthesize(DEV["efs-read"])))
    assert (code, {found["type"] for found in report["findings"]}) == (
        1,
        {"AWS::EFS::FileSystem", "AWS::EFS::AccessPoint"},
    )
