"""The local SageMaker gets an operation from one file, and a kind of resource from one file and one entry."""

from pathlib import Path

import pytest

from tests.drills.checkout import Checkout

pytestmark = pytest.mark.slow

FOLDER = "headrace/local/sagemaker/kinds"
TESTS = "tests/headrace/local/sagemaker"

OPERATION = '''
    @property
    def operations(self) -> Mapping[str, Handler]:
        """Update, besides those that every job has."""
        return {**super().operations, "UpdateTrainingJob": self.update}

    def update(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """UpdateTrainingJob; what it changes does nothing on one machine."""
        return {"TrainingJobArn": self.find_requested(request).arn}
'''
TEST_OF_OPERATION = """
from tests.headrace.local.sagemaker.cloud import Cloud


def test_updates_a_training_job(cloud: Cloud) -> None:
    cloud.train_to_end(cloud.push_image("pass"))

    answer = cloud.call("UpdateTrainingJob", TrainingJobName="job")

    assert answer["TrainingJobArn"].endswith(":training-job/job")
"""

KIND = '''"""Model package groups: what versions of a model are registered in."""

from collections.abc import Mapping
from typing import Any, ClassVar

from headrace.local.sagemaker.definitions import DefinitionKind


class ModelPackageGroups(DefinitionKind):
    """The model package group operations of the API."""

    name: ClassVar[str] = "ModelPackageGroup"
    listed_as: ClassVar[str] = "ModelPackageGroupSummaryList"

    def check(self, request: Mapping[str, Any]) -> None:
        """Any group will do."""

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeModelPackageGroup."""
        return {**super().describe(request), "CreatedBy": {}, "ModelPackageGroupStatus": "Completed"}
'''
IMPORT = "from headrace.local.sagemaker.kinds.model_package_groups import ModelPackageGroups\n"
TEST_OF_KIND = """
import pytest

from headrace.local.sagemaker import SageMakerError
from tests.headrace.local.sagemaker.cloud import Cloud


def test_keeps_model_package_groups(cloud: Cloud) -> None:
    tag = {"Key": "team", "Value": "rain"}
    arn = cloud.call("CreateModelPackageGroup", ModelPackageGroupName="group", Tags=[tag])["ModelPackageGroupArn"]

    described = cloud.call("DescribeModelPackageGroup", ModelPackageGroupName="group")

    assert described["ModelPackageGroupArn"] == arn
    assert arn.endswith(":model-package-group/group")
    assert described == cloud.sagemaker.wait("ModelPackageGroup", "group")
    assert cloud.call("ListTags", ResourceArn=arn)["Tags"] == [tag]
    with pytest.raises(SageMakerError, match="already existing model package group"):
        cloud.call("CreateModelPackageGroup", ModelPackageGroupName="group")

    cloud.call("DeleteModelPackageGroup", ModelPackageGroupName="group")

    assert cloud.call("ListModelPackageGroups") == {"ModelPackageGroupSummaryList": []}
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def run_tests(checkout: Checkout, test: str) -> None:
    """Run a test there through the control plane, and those that hold for whatever kinds there are."""
    drill = f"{TESTS}/test_drill.py"
    checkout.write(drill, test)
    answer = checkout.run("pytest", "-q", "-p", "no:cacheprovider", drill, f"{TESTS}/kinds/test_kinds.py")
    assert answer.returncode == 0, answer.stdout


def test_an_operation_on_a_kind_touches_its_file_alone(checkout: Checkout) -> None:
    file = f"{FOLDER}/training_jobs.py"
    checkout.insert_after(file, "    job = TrainingJob\n", OPERATION)
    checkout.insert_after(file, "from headrace.local.sagemaker.kind import ", "Handler, ")

    assert checkout.list_touched() == {file}
    run_tests(checkout, TEST_OF_OPERATION)


def test_a_kind_is_one_file_and_one_entry(checkout: Checkout) -> None:
    file, entries = f"{FOLDER}/model_package_groups.py", f"{FOLDER}/__init__.py"
    checkout.write(file, KIND)
    checkout.insert_after(entries, "kinds.endpoints import Endpoints\n", IMPORT)
    checkout.insert_after(entries, "    Endpoints,\n", "    ModelPackageGroups,\n")

    assert checkout.list_touched() == {file, entries}
    assert checkout.count_added_lines(entries) == 2
    run_tests(checkout, TEST_OF_KIND)
