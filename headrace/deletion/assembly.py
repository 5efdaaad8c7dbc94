"""The stacks of a synthesized app."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

from headrace.assemblies.files import MANIFEST, AssemblyError, read_stacks, read_template


class NoAssemblyError(AssemblyError):
    """A folder holds no synthesized app."""


@dataclass(frozen=True)
class PlannedStack:
    """A stack as it will be deployed.

    Args:
        id: What the CDK command line calls it.
        name: What CloudFormation calls it.
        resources: Its resources by logical id, as its template declares them.
        exports: By what other stacks name its outputs, its own name among them.
    """

    id: str
    name: str
    resources: Mapping[str, Mapping[str, Any]]
    exports: frozenset[str]


def read_assembly(folder: Path) -> list[PlannedStack]:
    """The stacks of a synthesized app in the order in which they are deployed.

    Raises:
        NoAssemblyError: If there is none in the folder.
        AssemblyError: If it is not what CDK writes.
    """
    if not (folder / MANIFEST).is_file():
        raise NoAssemblyError(f"{folder} holds no synthesized app; make it with 'cdk synth --context env=ENVIRONMENT'")
    stacks = read_stacks(folder)
    sorter = TopologicalSorter(
        {name: stacks.keys() & artifact.get("dependencies", []) for name, artifact in stacks.items()}
    )
    try:
        return [_read_stack(folder, name, stacks[name]["properties"]) for name in sorter.static_order()]
    except CycleError as error:
        raise AssemblyError(f"{folder}: its stacks need each other: {' → '.join(error.args[1])}") from None


def _read_stack(folder: Path, name: str, properties: Mapping[str, Any]) -> PlannedStack:
    template = read_template(folder / properties["templateFile"])
    stack_name = properties.get("stackName", name)
    exports = [output["Export"]["Name"] for output in template.get("Outputs", {}).values() if "Export" in output]
    return PlannedStack(name, stack_name, template.get("Resources", {}), frozenset([stack_name, *exports]))


def write_variant(folder: Path, resources: Mapping[str, Mapping[str, Any]], target: Path) -> None:
    """Write a synthesized app with some resources declared otherwise; all else leads to the original.

    Args:
        folder: The original.
        resources: The other declarations by logical id, by stack id.
        target: Where to; what is there is replaced.
    """
    _link(folder, target)
    manifest = (folder / "manifest.json").read_text()
    for stack, declared in resources.items():
        file = json.loads(manifest)["artifacts"][stack]["properties"]["templateFile"]
        new = _declare(target / file, declared)
        old = _rename_asset(target / f"{stack}.assets.json", file, new)
        manifest = manifest.replace(old, new)
    _replace(target / "manifest.json", manifest)


def _link(folder: Path, target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for path in folder.iterdir():
        (target / path.name).symlink_to(path.resolve())


def _declare(file: Path, declared: Mapping[str, Any]) -> str:
    """Declare some of a template's resources otherwise; its name in the bucket for assets, which is by its content."""
    template = json.loads(file.read_text())
    template["Resources"] |= declared
    content = json.dumps(template, indent=1)
    _replace(file, content)
    return hashlib.sha256(content.encode()).hexdigest()


def _rename_asset(assets: Path, file: str, new: str) -> str:
    """Give a file another name among a stack's assets; the name that it had."""
    content = assets.read_text()
    old: str = next(name for name, asset in json.loads(content)["files"].items() if asset["source"]["path"] == file)
    _replace(assets, content.replace(old, new))
    return old


def _replace(path: Path, content: str) -> None:
    path.unlink()
    path.write_text(content)
