"""The job that checks what an endpoint was asked for drift, and SageMaker's request for it."""

from dataclasses import dataclass
from typing import Any, Final

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from containers.shared import sagemaker
from headrace.drift import contract
from headrace.provenance import PROFILE_FILE
from stacks.pipeline.asl import jsonata
from stacks.pipeline.jobs import encrypt_outputs, render_resources
from stacks.pipeline.names import name_for_attempt
from stacks.settings.drift import DriftSettings

# What a check is given: days of captured requests, the truth where there is any, where its report goes, and from when
# to when requests count.
DAYS: Final = "$days"
HAS_TRUTH: Final = "$has_truth"
REPORT: Final = "$report"
SINCE: Final = "$since"
UNTIL: Final = "$until"


@dataclass(frozen=True, kw_only=True)
class DriftJob:
    """A processing job that compares the requests of some days with the profile of the version that serves.

    Args:
        role: What it runs under.
        image_uri: The container image's URI, tag included.
        program: The module that checks.
        work_uri: The bucket of what was captured, as an address that ends with a slash.
        truth_uri: Below which it stands what turned out to be true.
        title: What is checked, in a few words.
        settings: Its machine and what counts.
        key: The customer's key, for the volume and the report.
    """

    role: iam.IRole
    image_uri: str
    program: str
    work_uri: str
    truth_uri: str
    title: str
    settings: DriftSettings
    key: kms.IKey | None

    def render(self) -> dict[str, Any]:
        """CreateProcessingJob's request."""
        output = {"S3Uri": jsonata(REPORT), "LocalPath": _place(contract.REPORT_FOLDER), "S3UploadMode": "EndOfJob"}
        arguments = {
            contract.SINCE_ARGUMENT: jsonata(SINCE),
            contract.UNTIL_ARGUMENT: jsonata(UNTIL),
            contract.THRESHOLD_ARGUMENT: str(self.settings.threshold),
            contract.MIN_ROWS_ARGUMENT: str(self.settings.min_rows),
            contract.TITLE_ARGUMENT: self.title,
        }
        return {
            "ProcessingJobName": jsonata(name_for_attempt("$job_name")),
            "RoleArn": self.role.role_arn,
            "AppSpecification": {
                "ImageUri": self.image_uri,
                "ContainerEntrypoint": ["python", "-m", self.program],
                "ContainerArguments": [part for pair in arguments.items() for part in pair],
            },
            "ProcessingInputs": jsonata(self._list_inputs()),
            "ProcessingOutputConfig": {
                "Outputs": [{"OutputName": "report", "S3Output": output}],
                **encrypt_outputs(self.key),
            },
            "ProcessingResources": {"ClusterConfig": render_resources(self.settings, self.key)},
            "NetworkConfig": {"EnableNetworkIsolation": True},
            "StoppingCondition": {"MaxRuntimeInSeconds": self.settings.max_runtime_seconds},
        }

    def _list_inputs(self) -> str:
        """JSONata, because how many there are is known only then: SageMaker fails a job that has an empty input."""
        days = (
            f"$map({DAYS}, function($day, $number) {{ $input('day-' & $string($number), '{self.work_uri}' & $day, "
            f"'{_place(contract.CAPTURED_FOLDER)}/' & $string($number)) }})"
        )
        profile = f"$input('profile', $record & '{PROFILE_FILE}', '{_place(contract.PROFILE_FOLDER)}')"
        truth = f"$input('truth', '{self.truth_uri}', '{_place(contract.TRUTH_FOLDER)}')"
        return (
            "( $input := function($name, $uri, $path) { { 'InputName': $name, 'S3Input': { 'S3Uri': $uri, "
            "'LocalPath': $path, 'S3DataType': 'S3Prefix', 'S3InputMode': 'File' } } }; "
            f"$append($append([{profile}], {days}), {HAS_TRUTH} ? [{truth}] : []) )"
        )


def _place(folder: str) -> str:
    return f"{sagemaker.ML_ROOT}/{folder}"
