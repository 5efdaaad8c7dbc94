"""What holds for every kind of resource that there is, without a list of them."""

from typing import Any

import pytest

from headrace.local.sagemaker import SageMakerError
from headrace.local.sagemaker.kind import ResourceKind
from headrace.local.sagemaker.kinds import KINDS
from headrace.local.sagemaker.validation import load_service_model
from tests.headrace.local.sagemaker.cloud import Cloud

NAMED = [kind for kind in KINDS if issubclass(kind, ResourceKind)]


def test_serves_operations_of_the_api_only(cloud: Cloud) -> None:
    known = {
        name for service in ("sagemaker", "sagemaker-runtime") for name in load_service_model(service).operation_names
    }

    assert cloud.sagemaker.operations <= known


@pytest.mark.parametrize("kind", NAMED)
def test_lists_under_the_key_of_the_api(cloud: Cloud, kind: type[ResourceKind[Any]]) -> None:
    assert cloud.call(f"List{kind.name}s") == {kind.listed_as: []}


@pytest.mark.parametrize("kind", NAMED)
def test_refuses_to_wait_for_what_there_is_not(cloud: Cloud, kind: type[ResourceKind[Any]]) -> None:
    with pytest.raises(SageMakerError, match="ValidationException"):
        cloud.sagemaker.wait(kind.name, "absent")
