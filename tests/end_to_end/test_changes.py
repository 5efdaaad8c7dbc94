"""Switches turned on a living environment of the local cloud, there and back, as `headrace changes` says."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from headrace.changes import Effect
from headrace.local.engine import cloud as local_cloud
from headrace.local.engine import file_systems
from headrace.local.engine.cloud import ACCOUNT, REGION, LocalCloud
from headrace.local.platform.deployment import deploy as deploy_by_cdk
from headrace.loopback import find_free_port
from tests.conftest import PROJECT
from tests.living import LivingEnvironment
from tests.local_clouds import clients_of
from tests.stacks.conftest import SWITCHES
from tests.stacks.synthesis import assemble
from tests.stacks.transitions import SWITCHED, configure

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

DEV = SWITCHED["dev"]
# Each is turned on the same environment, and back: what holds data, and a key; a whole stack by the CDK command line,
# below. `make test-all` has every switch in test_deployed_transitions.py, and tests/stacks/test_transitions.py walks
# all of them over the templates.
TURNED = ("efs-read", "key")
CONTENT = bytes(range(256)) * 40
RETAINED: Mapping[str, Any] = {"retain_data": True}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    cloud = local_cloud.start(tmp_path_factory.mktemp("cloud"), find_free_port(), stop_with_caller=True)
    with clients_of(cloud):
        yield cloud
    cloud.stop()


@pytest.fixture(scope="module")
def dev(cloud: LocalCloud) -> LivingEnvironment:
    """dev as cdk.json has it, with something in all that holds data."""
    return LivingEnvironment(cloud, "dev")


def synthesize(changes: Mapping[str, Any]) -> Path:
    return assemble(configure("dev", changes))


@pytest.mark.parametrize("switch", TURNED)
def test_turns_a_switch_there_and_back_without_losing_a_byte_unsaid(dev: LivingEnvironment, switch: str) -> None:
    for changes in (DEV[switch], {}):
        assert dev.change(changes).list_faults() == []


def test_leaves_a_file_system_behind_with_its_files_where_data_is_retained(
    cloud: LocalCloud, dev: LivingEnvironment
) -> None:
    dev.change({**RETAINED, **SWITCHES["efs"]})
    (folder,) = file_systems.list_folders(cloud.root).values()
    (folder / "list.lst").write_bytes(CONTENT)

    plan = dev.change(RETAINED).plan

    assert [finding.effect for finding in plan.findings if finding.kind == "AWS::EFS::FileSystem"] == [
        Effect.LEFT_BEHIND
    ]
    assert (folder / "list.lst").read_bytes() == CONTENT
    dev.change({})


def test_tells_who_subscribed_to_the_topic_of_every_alarm_while_there_is_one(dev: LivingEnvironment) -> None:
    dev.change(SWITCHES["alarms"])
    sns, cloudwatch = boto3.client("sns"), boto3.client("cloudwatch")
    (topic,) = (found["TopicArn"] for found in sns.list_topics()["Topics"])
    alarms = {alarm["AlarmName"] for alarm in cloudwatch.describe_alarms()["MetricAlarms"]}
    queue = subscribe_queue(topic)

    for alarm in alarms:
        cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="an execution failed")

    # Three of the normalizer, three of each state machine, of the approvals and the endpoint of each workload four.
    assert len(alarms) == 3 + 3 * 3 + 2 * 4
    assert {notice["AlarmName"] for notice in receive(queue, len(alarms))} == alarms
    dev.change({})
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


def test_the_cdk_command_line_deletes_a_stack_that_is_switched_off(dev: LivingEnvironment) -> None:
    for changes in (DEV["normalizer"], {}):
        assert dev.change(changes, by=deploy_by_cdk).list_faults() == []


def test_the_command_compares_what_stands_with_the_app(dev: LivingEnvironment) -> None:
    command = [sys.executable, "-m", "headrace", "changes", "--json"]

    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False)

    report = json.loads(done.stdout)
    assert (done.returncode, report["findings"], report["commands"]) == (0, [], ["cdk deploy --all --context env=dev"])
