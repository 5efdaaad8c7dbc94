"""What an execution may leave: things that cost or belong to what does, and notices on the event bus."""

import json
from typing import Any

from headrace.contract import NOTICE_SOURCE
from tests.end_to_end.conftest import Platform
from tests.patience import wait_until

JOBS = ("TrainingJob", "ProcessingJob", "TransformJob")


def list_costs(platform: Platform) -> set[str]:
    """What costs while it is there, and the models and configurations that belong to it."""
    sagemaker = platform.client("sagemaker")
    endpoints = sagemaker.get_paginator("list_endpoints").paginate()
    models = sagemaker.get_paginator("list_models").paginate()
    configs = sagemaker.get_paginator("list_endpoint_configs").paginate()
    file_systems = platform.client("fsx").get_paginator("describe_file_systems").paginate()
    return {
        *(name for name, status in list_jobs(platform).items() if status in ("InProgress", "Stopping")),
        *(f"endpoint {one['EndpointName']}" for page in endpoints for one in page["Endpoints"]),
        *(f"model {one['ModelName']}" for page in models for one in page["Models"]),
        *(f"config {one['EndpointConfigName']}" for page in configs for one in page["EndpointConfigs"]),
        *(
            f"file-system {one['FileSystemId']}"
            for page in file_systems
            for one in page["FileSystems"]
            if one["Lifecycle"] != "DELETING"
        ),
    }


def list_jobs(platform: Platform) -> dict[str, str]:
    """The status of every job that there has been, by its kind and name."""
    sagemaker = platform.client("sagemaker")
    found: dict[str, str] = {}
    for kind, operation in zip(
        JOBS, ("list_training_jobs", "list_processing_jobs", "list_transform_jobs"), strict=True
    ):
        for page in sagemaker.get_paginator(operation).paginate():
            found |= {f"{kind} {job[f'{kind}Name']}": job[f"{kind}Status"] for job in page[f"{kind}Summaries"]}
    return found


class Notices:
    """The notices on the event bus."""

    def __init__(self, platform: Platform, name: str) -> None:
        self._sqs, self._events, self._name = platform.client("sqs"), platform.client("events"), name
        self._queue = self._sqs.create_queue(QueueName=name)["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"]
        self._events.put_rule(Name=name, EventPattern=json.dumps({"source": [NOTICE_SOURCE]}))
        self._events.put_targets(Rule=name, Targets=[{"Id": "queue", "Arn": attributes["QueueArn"]}])
        self._received: list[dict[str, Any]] = []

    def find(self, arn: str, count: int = 1) -> list[dict[str, Any]]:
        """Those about an execution; there are at least so many sooner or later."""
        return wait_until(lambda: found if len(found := self._look(arn)) >= count else [], f"a notice about {arn}")

    def close(self) -> None:
        """Take no more of them."""
        self._events.remove_targets(Rule=self._name, Ids=["queue"])
        self._events.delete_rule(Name=self._name)

    def _look(self, arn: str) -> list[dict[str, Any]]:
        found = self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            self._received.append(json.loads(message["Body"])["detail"])
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return [notice for notice in self._received if notice["ExecutionArn"] == arn]
