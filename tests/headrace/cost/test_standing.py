"""How much is in what stands, on made-up answers."""

from typing import Any

from botocore.exceptions import ClientError

from headrace.cost import standing
from headrace.inventory import Item, Maker, price, usual_prices


class Account:
    """A session whose one client answers each operation with what was given for it."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers

    def client(self, name: str) -> "Account":
        return self

    def get_paginator(self, operation: str) -> "Account":
        self.operation = operation
        return self

    def paginate(self, **arguments: Any) -> Any:
        if isinstance(answer := self.answers[self.operation], Exception):
            raise answer
        return answer


def measure(kind: str, account: Any, name: str = "it") -> float:
    item = standing._look_at(account, Item(kind=kind, name=name, maker=Maker.STACK))
    return price(item, usual_prices()).monthly


def test_a_bucket_costs_what_it_holds_with_old_versions() -> None:
    pages = [{"Versions": [{"Size": 2**30}, {"Size": 2**30}]}, {"Versions": [{"Size": 1000}]}, {}]

    # 2 GB at 0.023, two objects that are large enough to be watched, and 1,000 bytes.
    assert round(measure("AWS::S3::Bucket", Account(list_object_versions=pages)), 7) == round(
        2 * 0.023 + 2 * 0.0025 / 1000 + 1000 / 2**30 * 0.023, 7
    )


def test_a_repository_costs_what_its_container_images_take() -> None:
    pages = [{"imageDetails": [{"imageSizeInBytes": 3 * 2**30}, {}]}]

    assert round(measure("AWS::ECR::Repository", Account(describe_images=pages)), 9) == 0.3


class Sagemaker:
    """A session whose client describes one notebook instance."""

    def client(self, name: str) -> "Sagemaker":
        return self

    def describe_notebook_instance(self, *, NotebookInstanceName: str) -> dict[str, Any]:  # noqa: N803
        assert NotebookInstanceName == "headrace-dev-notebook"
        return {"NotebookInstanceStatus": "InService", "InstanceType": "ml.t3.medium", "VolumeSizeInGB": 5}


def test_a_notebook_that_runs_costs_its_instance() -> None:
    arn = "arn:aws:sagemaker:us-east-1:123456789012:notebook-instance/headrace-dev-notebook"

    # 5 GB at 0.14 and 730 hours at 0.05.
    assert round(measure("AWS::SageMaker::NotebookInstance", Sagemaker(), arn), 6) == 37.2


def test_goes_on_where_it_may_not_look() -> None:
    denied = ClientError({"Error": {"Code": "AccessDenied"}}, "ListObjectVersions")

    assert measure("AWS::S3::Bucket", Account(list_object_versions=denied)) == 0.0
