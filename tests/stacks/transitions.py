"""Changes of settings on a living environment: which there are, and what is deployed before and after."""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from headrace.assemblies import Assembly
from headrace.assemblies.assembly import list_foreign
from tests.stacks.conftest import SWITCHES, context_of, set_path
from tests.stacks.synthesis import read_synthesized

Settings = Mapping[str, Any]

REFERENCES = "@aws-cdk/core:defaultCrossStackReferences"
# What the CDK has for going from exports to weak references.
BOTH = "both"

_S3_LISTS = [
    {"name": name, "source": "s3", "path": path}
    for name, path in {
        "train": "images/photographs/",
        "validation": "images/photographs/",
        "train_lst": "images/lists/train/",
        "validation_lst": "images/lists/validation/",
    }.items()
]
_EFS_LISTS = [*_S3_LISTS[:2], {"name": "train_lst", "source": "efs", "path": "/lists/train"}, _S3_LISTS[3]]
_FSX_LISTS = [*_S3_LISTS[:3], {"name": "validation_lst", "source": "fsx", "path": "/raw/images/lists/validation"}]
_FROM_S3: Settings = {"images.training.channels": _S3_LISTS}
_NO_FUNCTION: Settings = {"images.training.channels": _S3_LISTS, "images.training.normalized": ...}
_TAGS: Settings = {"tags": {"project": "other"}}
_SEARCH = [{"name": "search", "options": {}}]

# Each switch of an environment, as the settings that turn it.
_PROD_SWITCHES: Mapping[str, Settings] = {
    "fsx": {"file_systems.fsx.enabled": False, "images.training.channels": _EFS_LISTS},
    "efs": {"file_systems.efs.enabled": False, "images.training.channels": _FSX_LISTS},
    "file-systems": {"file_systems.fsx.enabled": False, "file_systems.efs.enabled": False, **_FROM_S3},
    "fsx-per-run": {"file_systems.fsx.per_run": True},
    "fsx-capacity": {"file_systems.fsx.capacity_gib": 2400},
    "nat": {"network.nat_gateways": 1},
    "endpoints": {"network.interface_endpoints": ["sagemaker.api", "logs"]},
    "notebook": {**SWITCHES["notebook"], "notebook.direct_internet": True},
    "private-notebook": {"notebook.enabled": True, "network.interface_endpoints": ["sagemaker.api"]},
    "boundary": SWITCHES["boundary"],
    "object-lambda": {"normalizer.object_lambda": False},
    "access-point": {"normalizer.consumers": [{"name": "training", "object_lambda_name": "photographs"}]},
    "function-url": {"normalizer.function_url": False},
    "bulk": {"normalizer.bulk": ...},
    "normalizer": {
        **_NO_FUNCTION,
        "normalizer.function_url": False,
        "normalizer.object_lambda": False,
        "normalizer.bulk": ...,
    },
    "cache": {"normalizer.cache": True},
    "existing": {**SWITCHES["existing"], "encryption.customer_key": False},
    "consumers": {"normalizer.consumers": _SEARCH},
    "alarms": SWITCHES["alarms"],
    "key": {"encryption.customer_key": False},
    "people": SWITCHES["people"],
    "retain": {"retain_data": False},
    "scratch": {"file_systems.fsx.deployment": "SCRATCH_2"},
    "tags": _TAGS,
}
_DEV_SWITCHES: Mapping[str, Settings] = {
    **{switch: SWITCHES[switch] for switch in SWITCHES if switch not in ("existing-network", "container-alarms")},
    "efs-read": {**SWITCHES["efs"], **_NO_FUNCTION, "images.training.channels": _EFS_LISTS},
    "bulk": {"normalizer.bulk": ...},
    "normalized": _NO_FUNCTION,
    "normalizer": {**_NO_FUNCTION, "normalizer.function_url": False, "normalizer.bulk": ...},
    "door": {
        "normalizer.function_url": False,
        "normalizer.object_lambda": True,
        "images.training.normalized": {"through": "object_lambda"},
    },
    "consumer": {"normalizer.consumers": _SEARCH, "images.training.normalized": {"consumer": "search"}},
    "cache": {"normalizer.cache": True},
    "retain": {"retain_data": True},
    "tags": _TAGS,
}
SWITCHED: Mapping[str, Mapping[str, Settings]] = {"dev": _DEV_SWITCHES, "prod": _PROD_SWITCHES}


def configure(environment: str, changes: Settings, references: str | None = None) -> dict[str, Any]:
    """The context of an environment with other settings; references are of cdk.json's kind unless another is given."""
    context = context_of(environment)
    for path, value in changes.items():
        set_path(context["environments"][environment], path, value)
    return context | ({REFERENCES: references} if references else {})


@cache
def switched(environment: str, switch: str = "", references: str | None = None) -> Assembly:
    """An environment as cdk.json has it, or with a switch turned."""
    changes = SWITCHED[environment][switch] if switch else {}
    return read_synthesized(configure(environment, changes, references))


def strengthen(assembly: Assembly) -> Assembly:
    """The same stacks with exports and imports, as `cdk` makes them by default."""
    read = {
        found
        for template in assembly.templates.values()
        for found in list_foreign(assembly, template.get("Resources", {}))
    }
    templates = {stack: _import_values(template) for stack, template in assembly.templates.items()}
    for stack, output in read:
        templates[stack]["Outputs"][output]["Export"] = {"Name": f"{assembly.stack_names[stack]}:{output}"}
    return replace(assembly, templates=templates)


def _import_values(value: Any) -> Any:
    match value:
        case {"Fn::GetStackOutput": {"StackName": stack, "OutputName": output}}:
            return {"Fn::ImportValue": f"{stack}:{output}"}
        case dict():
            return {key: _import_values(entry) for key, entry in value.items()}
        case list():
            return [_import_values(entry) for entry in value]
    return value
