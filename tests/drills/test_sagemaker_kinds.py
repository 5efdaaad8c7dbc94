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

KIND = '''"""Experiments: what trials of a question are gathered in."""

from collections.abc import Mapping
from typing import Any, ClassVar

from headrace.local.sagemaker.definitions import DefinitionKind


class Experiments(DefinitionKind):
    """The experiment operations of the API."""

    name: ClassVar[str] = "Experiment"
    listed_as: ClassVar[str] = "ExperimentSummaries"

    def check(self, request: Mapping[str, Any]) -> None:
        """Any experiment will do."""

    def describe(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """DescribeExperiment."""
        return {**super().describe(request), "CreatedBy": {}}
'''
IMPORT = "from headrace.local.sagemaker.kinds.experiments import Experiments\n"
TEST_OF_KIND = """
import pytest

from headrace.local.sagemaker import SageMakerError
from tests.headrace.local.sagemaker.cloud import Cloud


def test_keeps_experiments(cloud: Cloud) -> None:
    tag = {"Key": "team", "Value": "rain"}
    arn = cloud.call("CreateExperiment", ExperimentName="trial", Tags=[tag])["ExperimentArn"]

    described = cloud.call("DescribeExperiment", ExperimentName="trial")

    assert described["ExperimentArn"] == arn
    assert arn.endswith(":experiment/trial")
    assert described == cloud.sagemaker.wait("Experiment", "trial")
    assert cloud.call("ListTags", ResourceArn=arn)["Tags"] == [tag]
    with pytest.raises(SageMakerError, match="already existing experiment"):
        cloud.call("CreateExperiment", ExperimentName="trial")

    cloud.call("DeleteExperiment", ExperimentName="trial")

    assert cloud.call("ListExperiments") == {"ExperimentSummaries": []}
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
    file, entries = f"{FOLDER}/experiments.py", f"{FOLDER}/__init__.py"
    checkout.write(file, KIND)
    checkout.insert_after(entries, "kinds.endpoints import Endpoints\n", IMPORT)
    checkout.insert_after(entries, "    Endpoints,\n", "    Experiments,\n")

    assert checkout.list_touched() == {file, entries}
    assert checkout.count_added_lines(entries) == 2
    run_tests(checkout, TEST_OF_KIND)
