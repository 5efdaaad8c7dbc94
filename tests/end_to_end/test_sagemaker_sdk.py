"""Both living versions of the SageMaker SDK, from a script to an endpoint's answer: the examples, run as they are."""

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from headrace.local.engine.container_images import Environments
from headrace.local.platform.running import Folders
from headrace.recipes import big_mart
from tests.conftest import PROJECT
from tests.end_to_end.conftest import ROWS, Platform

# The SDK waits for jobs and endpoints in steps of half a minute.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        os.environ.get("HEADRACE_SDK_TESTS") != "1",
        reason="the SDK's packages are many: `make test-sdk` installs them, or set HEADRACE_SDK_TESTS=1",
    ),
]

UV = [sys.executable, "-m", "uv", "--quiet"]
SKLEARN = """
import sys
from sagemaker.sklearn.processing import SKLearnProcessor
from sagemaker_sdk_v2 import MACHINE, NO_TELEMETRY, Session, find_role, read_outputs, run_script

session = Session(default_bucket=read_outputs()["WorkBucketName"], sagemaker_config=NO_TELEMETRY)
processor = SKLearnProcessor(
    framework_version="1.2-1", role=find_role("PreprocessingRole"), sagemaker_session=session, **MACHINE
)
if sys.argv[1] == "name":
    print(processor.image_uri)
else:
    print(run_script(processor, session.upload_data(sys.argv[1], key_prefix="sdk/sklearn")))
"""
ROLES = """
from sagemaker.core.helper.iam_role_resolver import IamRoleResolver, RoleValidationError
from sagemaker_sdk_v3 import NO_TELEMETRY, ModelTrainer, Session, find_role, read_outputs

outputs = read_outputs()
session = Session(default_bucket=outputs["WorkBucketName"], sagemaker_config=NO_TELEMETRY)
given = {"sagemaker_session": session, "training_image": outputs["TrainingImageUri"]}
try:
    ModelTrainer(role=find_role("bigmart-TrainingRole"), **given)
except RoleValidationError:
    print("the platform's role: refused")
ModelTrainer(role=IamRoleResolver().create_execution_role(role_type="training"), **given)
print("the SDK's own role: taken")
"""


@pytest.fixture
def run_sdk(platform: Platform) -> Callable[..., str]:
    """Runs a version of the SDK in its own environment; what it prints, the SDK's progress included."""

    def run(version: str, *arguments: str, **environment: str) -> str:
        done = subprocess.run(
            [str(make_environment(version) / "bin" / "python"), *arguments],
            env={
                **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
                **platform.cloud.client_environment,
                "PYTHONPATH": str(PROJECT / "examples"),
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def make_environment(version: str) -> Path:
    """An environment with exactly a version's pinned packages, kept between runs."""
    requirements = Path(__file__).with_name(f"requirements-sdk-{version}.txt")
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()[:16]
    environment = Folders().environments / f"sdk-{version}-{sys.implementation.cache_tag}-{digest}"
    if not (environment / "made").exists():
        subprocess.run([*UV, "venv", "--clear", "--python", sys.executable, str(environment)], check=True)
        command = [*UV, "pip", "install", "--python", str(environment), "--requirements", str(requirements)]
        subprocess.run(command, check=True)
        (environment / "made").touch()
    return environment


def test_version_2_prepares_trains_attaches_deploys_predicts_and_deletes(
    platform: Platform, sales: Path, run_sdk: Callable[..., str]
) -> None:
    output = run_sdk("v2", str(PROJECT / "examples" / "sagemaker_sdk_v2.py"), str(sales))

    assert f"script: {ROWS} rows" in output
    assert re.search(r"metrics: timestamp,metric_name,value\n0.0,validation:rmse,[0-9.]+\n", output)
    assert re.search(r"prediction: [0-9.]+\n$", output)
    assert platform.client("sagemaker").list_endpoints(NameContains="sdk-v2")["Endpoints"] == []


def test_version_3_prepares_trains_deploys_predicts_and_deletes(
    platform: Platform, sales: Path, run_sdk: Callable[..., str]
) -> None:
    script = str(PROJECT / "examples" / "sagemaker_sdk_v3.py")

    output = run_sdk("v3", script, str(sales), SAGEMAKER_VALIDATE_ROLE="false")

    assert f"script: {ROWS} rows" in output
    assert "source code: Completed" in output
    assert re.search(r"prediction: [0-9.]+\n$", output)
    assert platform.client("sagemaker").list_endpoints(NameContains="sdk-v3")["Endpoints"] == []


def test_version_3_takes_a_role_of_its_own_making(run_sdk: Callable[..., str]) -> None:
    output = run_sdk("v3", "-c", ROLES)

    assert output.splitlines()[-2:] == ["the platform's role: refused", "the SDK's own role: taken"]


def test_an_sklearn_processor_runs_a_script_with_the_image_that_was_brought(
    platform: Platform, sales: Path, run_sdk: Callable[..., str]
) -> None:
    image = run_sdk("v2", "-c", SKLEARN, "name").splitlines()[-1]
    python = Environments(Folders().environments).path(big_mart.PREPROCESSING) / "bin" / "python"
    folder = str(platform.cloud.root.parent)
    headrace = Path(sys.executable).with_name("headrace")

    subprocess.run([str(headrace), "local", "--folder", folder, "bring", image, "--python", str(python)], check=True)

    assert run_sdk("v2", "-c", SKLEARN, str(sales)).endswith(f"{ROWS} rows\n")
