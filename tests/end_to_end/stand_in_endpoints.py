"""Endpoints that no execution has made, and what the topic of alarms publishes meanwhile."""

import json
from typing import Any

import boto3

from headrace.local.engine.cloud import ACCOUNT, REGION
from tests.headrace.local.sagemaker.cloud import PROGRAM_START, SERVE
from tests.local_clouds import ROLES

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/model:1"
PROGRAM = f"{PROGRAM_START}if True:\n{SERVE}"
_QUEUE = "inbox"


def create_endpoint(name: str, image: str = IMAGE) -> None:
    """Begin to create an endpoint of one machine, with a model and a configuration of its name."""
    sagemaker: Any = boto3.client("sagemaker")
    sagemaker.create_model(ModelName=name, ExecutionRoleArn=f"{ROLES}/ml", PrimaryContainer={"Image": image})
    variant = {"VariantName": "AllTraffic", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)


def await_endpoint(name: str) -> None:
    """Wait until an endpoint serves."""
    waiter: Any = boto3.client("sagemaker").get_waiter("endpoint_in_service")
    waiter.wait(EndpointName=name, WaiterConfig={"Delay": 0})


def subscribe_queue() -> None:
    """Have the topic of the alarms of dev publish to a queue."""
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{_QUEUE}"
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue,
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    boto3.client("sqs").create_queue(QueueName=_QUEUE, Attributes={"Policy": policy})
    topic = f"arn:aws:sns:{REGION}:{ACCOUNT}:headrace-dev-alarms"
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)


def receive() -> list[str]:
    """What was published to the topic and not received yet."""
    sqs: Any = boto3.client("sqs")
    queue = sqs.get_queue_url(QueueName=_QUEUE)["QueueUrl"]
    received = []
    while messages := sqs.receive_message(QueueUrl=queue).get("Messages"):
        for message in messages:
            received.append(str(json.loads(message["Body"])["Message"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return received
