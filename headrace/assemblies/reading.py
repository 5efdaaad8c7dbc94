"""Where templates come from: a folder that CDK wrote, a folder of templates, or the stacks that stand in an account."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError
from pathlib import Path
from typing import Any, Final

from headrace import contract
from headrace.assemblies.assembly import Assembly, Template
from headrace.assemblies.files import MANIFEST, AssemblyError, read_object, read_stacks, read_template

# Stacks that failed to be made or to be deleted are there, too; one in review has had none of its change sets executed.
NOT_THERE: Final = frozenset({"DELETE_COMPLETE", "REVIEW_IN_PROGRESS"})


def read_folder(folder: Path) -> Assembly:
    """The templates in a folder: what `cdk synth` wrote, or files whose names are those of their stacks.

    Raises:
        AssemblyError: If there are none, one is not a template, or they need each other.
    """
    if not folder.is_dir():
        raise AssemblyError(f"{folder}: is not a folder; name one that `cdk synth --output` wrote")
    assembly = _read_app(folder) if (folder / MANIFEST).is_file() else _read_templates(folder)
    try:
        assembly.deploy_order()
    except CycleError as error:
        raise AssemblyError(f"{folder}: its stacks need each other: {' → '.join(error.args[1])}") from None
    return assembly


def _read_templates(folder: Path) -> Assembly:
    names = folder / "stacks.json"
    if names.is_file():
        stack_names = read_object(names)
        return Assembly(stack_names, {stack: read_template(folder / f"{stack}.json") for stack in stack_names})
    files = {path.name.removesuffix(".json").removesuffix(".template"): path for path in sorted(folder.glob("*.json"))}
    if not files:
        raise AssemblyError(f"{folder}: holds neither an assembly of CDK nor templates (*.json)")
    return Assembly({stack: stack for stack in files}, {stack: read_template(path) for stack, path in files.items()})


def _read_app(folder: Path) -> Assembly:
    stacks = read_stacks(folder)
    properties = {stack: artifact["properties"] for stack, artifact in stacks.items()}
    return Assembly(
        {stack: properties[stack].get("stackName", stack) for stack in stacks},
        {stack: read_template(folder / properties[stack]["templateFile"]) for stack in stacks},
        {stack: frozenset(artifact.get("dependencies", ())) & stacks.keys() for stack, artifact in stacks.items()},
        region=_read_region(stacks.values()),
    )


def _read_region(stacks: Iterable[Mapping[str, Any]]) -> str | None:
    """The Region that an app names; `aws://unknown-account/unknown-region` is wherever it is deployed."""
    regions = {stack.get("environment", "").rpartition("/")[2] for stack in stacks}
    return next(iter(regions - {"", "unknown-region"}), None)


def read_deployed(cloudformation: Any, environment: str, known: Mapping[str, str]) -> Assembly:
    """The stacks of an environment as they stand in the account, or in the local cloud, of a client.

    Args:
        cloudformation: boto3's client; nothing but reading is asked of it.
        environment: Which environment.
        known: The names of the app's stacks by id; a stack that it does not know goes by its name.
    """
    ids = {name: stack for stack, name in known.items()}
    prefix = contract.stack_name(environment, "")
    names: dict[str, str] = {}
    templates: dict[str, Template] = {}
    protected = set()
    for page in cloudformation.get_paginator("describe_stacks").paginate():
        for described in page["Stacks"]:
            name = described["StackName"]
            if not name.startswith(prefix) or described["StackStatus"] in NOT_THERE:
                continue
            template = cloudformation.get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
            if name not in ids and not contract.belongs_to(environment, template):
                continue
            stack = ids.get(name, name)
            names[stack] = name
            # What has been rolled back holds nothing, and CDK makes it anew.
            is_failed = described["StackStatus"] == "ROLLBACK_COMPLETE"
            templates[stack] = {} if is_failed else _check_template(name, template)
            protected |= {stack} if described.get("EnableTerminationProtection") else set()
    return Assembly(names, templates, protected=frozenset(protected), region=cloudformation.meta.region_name)


def _check_template(name: str, template: str | Template) -> Template:
    if isinstance(template, str):
        raise AssemblyError(f"{name}: its template is not JSON, so CDK has not deployed it")
    return template
