"""The local SageMaker gets an operation from one file, and a kind of resource from one file and one entry."""

from typing import Final

from tests.drills.addition import Addition
from tests.drills.checkout import Checkout

_FOLDER: Final = "headrace/local/sagemaker/kinds"
_TESTS: Final = ("tests/headrace/local/sagemaker/kinds/test_kinds.py",)

_JOBS: Final = f"{_FOLDER}/training_jobs.py"
_UPDATE: Final = '''
    @property
    def operations(self) -> Mapping[str, Handler]:
        """Update, besides those that every job has."""
        return {**super().operations, "UpdateTrainingJob": self.update}

    def update(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """UpdateTrainingJob; what it changes does nothing on one machine."""
        return {"TrainingJobArn": self.find_requested(request).arn}
'''
_TEST_OF_OPERATION: Final = """
from tests.headrace.local.sagemaker.cloud import Cloud


def test_updates_a_training_job(cloud: Cloud) -> None:
    cloud.train_to_end(cloud.push_image("pass"))

    answer = cloud.call("UpdateTrainingJob", TrainingJobName="job")

    assert answer["TrainingJobArn"].endswith(":training-job/job")
"""


def _add_operation(checkout: Checkout) -> None:
    checkout.insert_after(_JOBS, "    job = TrainingJob\n", _UPDATE)
    checkout.insert_after(_JOBS, "from headrace.local.sagemaker.kind import ", "Handler, ")


OPERATION: Final = Addition(
    name="an operation",
    add=_add_operation,
    touches=frozenset({_JOBS}),
    tests=_TESTS,
    own_tests={"tests/headrace/local/sagemaker/kinds/test_updates.py": _TEST_OF_OPERATION},
)

_FILE: Final = f"{_FOLDER}/experiments.py"
_ENTRIES: Final = f"{_FOLDER}/__init__.py"
_IMPORT: Final = "from headrace.local.sagemaker.kinds.experiments import Experiments\n"
_EXPERIMENTS: Final = '''"""Experiments: what trials of a question are gathered in."""

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
_TEST_OF_KIND: Final = """
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


def _add_kind(checkout: Checkout) -> None:
    checkout.write(_FILE, _EXPERIMENTS)
    checkout.insert_after(_ENTRIES, "kinds.endpoints import Endpoints\n", _IMPORT)
    checkout.insert_after(_ENTRIES, "    Endpoints,\n", "    Experiments,\n")


KIND: Final = Addition(
    name="a kind of resource",
    add=_add_kind,
    touches=frozenset({_FILE, _ENTRIES}),
    added_lines={_ENTRIES: 2},
    tests=_TESTS,
    own_tests={"tests/headrace/local/sagemaker/kinds/test_experiments.py": _TEST_OF_KIND},
)
