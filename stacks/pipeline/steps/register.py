"""Make a version of the model in the registry.

What is known of it stands in its metadata, because a version of a group has no tags of its own. Characters that
SageMaker does not allow there become underscores.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from headrace import contract
from headrace.contract import HYPERPARAMETER_FACT, METRIC_FACT, MOST_FACTS_MADE, NOT_RECORDED, VersionFact
from stacks.pipeline.asl import State, jsonata
from stacks.pipeline.registry import ModelRegistry
from stacks.pipeline.sagemaker_tasks import SageMakerTasks
from stacks.pipeline.step import Step
from stacks.pipeline.steps.read_version import IS_GIVEN

ENTRY: Final = "Register"

# The state that looks at its archive once more, and at what has become of it.
THEN: Final = "Find Archive"
_IS_ARCHIVE: Final = f"$exists($request.{contract.MODEL_DATA_URL_INPUT})"

# From `$known`, `$metrics` and `$hyperparameters` to what SageMaker takes as metadata. Facts first, so that of too many
# hyperparameters some are left out.
_RENDER_FACTS: Final = f"""
    $clean := function($value, $most) {{ (
        $text := $type($value) = 'string' ? $value : $string($value);
        $substring($replace($text, /[^A-Za-z0-9 _.:\\/=+@-]/, '_'), 0, $most)
    ) }};
    $list := function($prefix, $values) {{
        $each($values, function($value, $name) {{
            {{ 'Key': $clean($prefix & $name, 128), 'Value': $clean($value, 256) }}
        }})
    }};
    $facts := $append($append($list('', $known), $list('{METRIC_FACT}', $metrics)),
        $list('{HYPERPARAMETER_FACT}', $hyperparameters))[Value != ''];
    $filter($facts, function($fact, $index) {{ $index < {MOST_FACTS_MADE} }}){{ Key: Value }}
"""


def register(tasks: SageMakerTasks, registry: ModelRegistry) -> Step:
    """Make `$package` of `$model_data`, which S3 calls `$archive`.

    An archive that no execution has trained has passed no gate, so a person approves it whatever the mode.
    """

    def states(_after: str) -> Mapping[str, State]:
        return {
            ENTRY: tasks.create_model_package(
                ENTRY,
                _render(registry),
                registry=registry,
                next_state=THEN,
                assign={"package": jsonata("$states.result.ModelPackageArn")},
            )
        }

    return states


def must_be_approved(registry: ModelRegistry) -> str:
    """Whether a person has yet to approve the version that this execution has made."""
    made = f"$not({IS_GIVEN})"
    return made if _is_human(registry) else _IS_ARCHIVE


def _render(registry: ModelRegistry) -> dict[str, Any]:
    """CreateModelPackage's request."""
    return {
        "ModelPackageGroupName": registry.group,
        "ModelPackageDescription": jsonata("'Made by execution ' & $states.context.Execution.Name"),
        "InferenceSpecification": {
            "Containers": [{"Image": registry.image_uri, "ModelDataUrl": jsonata("$model_data")}],
            "SupportedContentTypes": [registry.content_type],
            "SupportedResponseMIMETypes": [registry.content_type],
        },
        "ModelApprovalStatus": _render_status(registry),
        "CustomerMetadataProperties": jsonata(_render_facts(registry)),
        # A retry, or a redrive, after the answer was lost finds the version that was made.
        "ClientToken": jsonata("$substring($hash($states.context.Execution.Id, 'SHA-256'), 0, 36)"),
    }


def _render_status(registry: ModelRegistry) -> str:
    pending = "'PendingManualApproval'"
    return jsonata(pending if _is_human(registry) else f"{_IS_ARCHIVE} ? {pending} : 'Approved'")


def _is_human(registry: ModelRegistry) -> bool:
    return registry.approval.mode == "human"


def _render_facts(registry: ModelRegistry) -> str:
    known = ", ".join(f"'{fact}': {value}" for fact, value in _list_facts(registry))
    return f"( $known := {{ {known} }}; {' '.join(_RENDER_FACTS.split())} )"


def _list_facts(registry: ModelRegistry) -> Iterator[tuple[VersionFact, str]]:
    """JSONata for each fact; an empty one is not known."""
    yield VersionFact.EXECUTION, "$states.context.Execution.Name"
    yield VersionFact.ENDPOINT, "$endpoint_name"
    yield VersionFact.JOB, "$job_name"
    yield VersionFact.PARENT, "$parent"
    yield VersionFact.FINGERPRINT, f"$fingerprint = '' ? '{NOT_RECORDED}' : $fingerprint"
    yield VersionFact.RECORD, "$record"
    yield VersionFact.COMMIT, f"'{registry.commit}'"
    yield VersionFact.IMAGES, "$images"
    yield VersionFact.ARCHIVE, "$archive"
    yield VersionFact.CONTAINER_IMAGE, f"'{registry.image_uri}'"
    yield VersionFact.APPROVAL, "'human'" if _is_human(registry) else f"{_IS_ARCHIVE} ? 'human' : 'auto'"
