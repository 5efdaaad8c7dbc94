"""What a synthesized app needs of the account and the Region that it is deployed to, read from its templates."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from headrace import contract, regions
from headrace.assemblies import Assembly, read_folder
from headrace.assemblies.assembly import Template, list_resources
from headrace.assemblies.files import MANIFEST, read_stacks
from headrace.doctor.tasks import (
    Use,
    asks_for_file_systems,
    count_inference_units,
    count_serverless,
    list_services,
    list_uses,
    read_connections,
)
from headrace.quotas import COMPREHEND_QUOTAS, SERVERLESS_CONCURRENCY

_STATE_MACHINE: Final = "AWS::StepFunctions::StateMachine"
_FUNCTION: Final = "AWS::Lambda::Function"
_STAGE: Final = "AWS::ApiGateway::Stage"
_SUBNET: Final = "AWS::EC2::Subnet"
_BOOTSTRAP: Final = "bootstrapStackVersionSsmParameter"
_BOOTSTRAP_VERSION: Final = "requiresBootstrapStackVersion"
_KEY: Final = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[0-9a-z-]+")
_EXISTING_SUBNET: Final = re.compile(r"\bsubnet-[0-9a-f]{8,17}\b")
_IMAGE_OUTPUT: Final = "ImageUri"
_BOUNDARY: Final = re.compile(r":policy/([\w+=,.@/-]+)$")


@dataclass(frozen=True)
class Bootstrap:
    """What `cdk bootstrap` must have made.

    Args:
        parameter: The SSM parameter that holds the version of its stack.
        version: The least version.
    """

    parameter: str
    version: int


@dataclass(frozen=True)
class Zones:
    """The zones of the subnets that are made.

    Args:
        names: Those that are named.
        count: How many of those that CloudFormation lists.
    """

    names: tuple[str, ...] = ()
    count: int = 0


@dataclass(frozen=True)
class Needs:
    """What a synthesized app needs.

    Args:
        assembly: Its templates.
        bootstrap: What `cdk bootstrap` must have made.
        uses: The instances that its jobs, endpoints and notebooks ask for.
        connections: How many requests at once an execution sends to a function, at most.
        serverless: How many requests at once its serverless endpoints are made for, together.
        makes_file_systems: Whether its executions make FSx file systems.
        services: The services that its executions call by the integration of the SDK.
        inference_units: Those of the endpoint of Comprehend's that an execution makes; 0 if it makes none.
    """

    assembly: Assembly
    bootstrap: Bootstrap | None = None
    uses: tuple[Use, ...] = ()
    connections: int = 0
    serverless: int = 0
    makes_file_systems: bool = False
    services: frozenset[str] = frozenset()
    inference_units: int = 0

    def list_quotas(self) -> list[str]:
        """The names of the quotas that count."""
        return [
            *(use.quota for use in self.uses),
            *([SERVERLESS_CONCURRENCY] if self.serverless else []),
            *(COMPREHEND_QUOTAS if self.inference_units else ()),
        ]

    def list_stacks_with(self, kind: str) -> list[str]:
        """The ids of the stacks that have a resource of a CloudFormation type."""
        return [stack for stack, name in _list_kinds(self.assembly) if name == kind]

    def list_types(self) -> list[str]:
        """The CloudFormation types of all resources, and of the file systems that executions make."""
        made = {regions.FSX_FILE_SYSTEM} if self.makes_file_systems else set()
        return sorted({kind for _, kind in _list_kinds(self.assembly)} | made)

    def list_reservations(self) -> dict[str, int]:
        """How many requests at once the functions of each stack reserve; stacks that reserve none are left out."""
        reserved: dict[str, int] = {}
        for stack, resource in _list_all(self.assembly):
            if resource["Type"] == _FUNCTION and (
                count := resource.get("Properties", {}).get("ReservedConcurrentExecutions")
            ):
                reserved[stack] = reserved.get(stack, 0) + int(count)
        return reserved

    def list_logging_stacks(self) -> list[str]:
        """The ids of the stacks with a REST API whose stage has an access log."""
        logging = (
            stack
            for stack, resource in _list_all(self.assembly)
            if resource["Type"] == _STAGE and "AccessLogSetting" in resource.get("Properties", {})
        )
        return list(dict.fromkeys(logging))

    def find_zones(self) -> Zones:
        """The zones that the subnets of the app are in."""
        names, count = [], 0
        for _, resource in _list_all(self.assembly):
            if resource["Type"] == _SUBNET:
                match resource.get("Properties", {}).get("AvailabilityZone"):
                    case str(name):
                        names.append(name)
                    case {"Fn::Select": [int() | str() as index, {"Fn::GetAZs": _}]}:
                        count = max(count, int(index) + 1)
        return Zones(tuple(dict.fromkeys(names)), count)

    def list_container_images(self) -> dict[str, Any]:
        """What the outputs say whose values are URIs of container images, by their names; as the templates spell it."""
        return {
            name: output["Value"]
            for template in self.assembly.templates.values()
            for name, output in template.get("Outputs", {}).items()
            if name.endswith(_IMAGE_OUTPUT)
        }

    def list_existing_buckets(self) -> list[str]:
        """The buckets of others that the app uses: an output names one that it makes by what makes it."""
        outputs = [
            template.get("Outputs", {}).get(name, {}).get("Value")
            for template in self.assembly.templates.values()
            for name in (contract.RAW_BUCKET_OUTPUT, contract.WORK_BUCKET_OUTPUT)
        ]
        return sorted({value for value in outputs if isinstance(value, str)})

    def list_existing_keys(self) -> list[str]:
        """The ARNs of the KMS keys of others that the app uses."""
        return self._find_written(_KEY)

    def list_existing_subnets(self) -> list[str]:
        """The subnets of others that the app uses."""
        return self._find_written(_EXISTING_SUBNET)

    def list_boundaries(self) -> list[str]:
        """The names of the policies that bound roles."""
        found = {
            match[1]
            for _, resource in _list_all(self.assembly)
            if (match := _BOUNDARY.search(_spell(resource.get("Properties", {}).get("PermissionsBoundary", ""))))
        }
        return sorted(found)

    def _find_written(self, pattern: re.Pattern[str]) -> list[str]:
        return sorted({found for template in self.assembly.templates.values() for found in _find(pattern, template)})


def read_needs(folder: Path, variables: Iterable[str] = ()) -> Needs:
    """What the app in a folder needs.

    Args:
        folder: What `cdk synth` wrote.
        variables: The environment variables of jobs that say how many requests at once these send to a function.

    Raises:
        AssemblyError: If it is not what CDK writes.
    """
    assembly = read_folder(folder)
    uses: list[Use] = []
    connections = serverless = units = 0
    makes_file_systems = False
    services: set[str] = set()
    for stack, template in assembly.templates.items():
        for definition in _list_definitions(template):
            uses += list_uses(stack, definition)
            serverless += count_serverless(definition)
            makes_file_systems = makes_file_systems or asks_for_file_systems(definition)
            services |= list_services(definition)
            units = max(units, count_inference_units(definition))
            connections = max(connections, read_connections(definition, variables))
        uses += _list_notebooks(stack, template)
    return Needs(
        assembly,
        _read_bootstrap(folder),
        tuple(uses),
        connections,
        serverless,
        makes_file_systems,
        frozenset(services),
        units,
    )


def _read_bootstrap(folder: Path) -> Bootstrap | None:
    """What the app needs; None where the folder holds templates alone."""
    if not (folder / MANIFEST).is_file():
        return None
    needed = [
        Bootstrap(properties[_BOOTSTRAP], int(properties.get(_BOOTSTRAP_VERSION, 1)))
        for artifact in read_stacks(folder).values()
        if _BOOTSTRAP in (properties := artifact["properties"])
    ]
    return max(needed, key=lambda bootstrap: bootstrap.version, default=None)


def _list_all(assembly: Assembly) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for stack, template in assembly.templates.items():
        for resource in list_resources(template).values():
            yield stack, resource


def _list_kinds(assembly: Assembly) -> Iterator[tuple[str, str]]:
    yield from dict.fromkeys((stack, str(resource["Type"])) for stack, resource in _list_all(assembly))


def _list_definitions(template: Template) -> Iterator[Mapping[str, Any]]:
    """The state machines of a template, with a placeholder for what a deployment fills in."""
    for resource in list_resources(template).values():
        if resource["Type"] == _STATE_MACHINE:
            definition = json.loads(_spell(resource.get("Properties", {}).get("DefinitionString", "{}")))
            if isinstance(definition, Mapping):
                yield definition


def _list_notebooks(stack: str, template: Template) -> Iterator[Use]:
    for name, resource in list_resources(template).items():
        if resource["Type"] == "AWS::SageMaker::NotebookInstance":
            yield Use.of_notebook(f"{stack}: {name}", resource.get("Properties", {}))


def _spell(value: Any) -> str:
    """A text of a template, with `X` for what a deployment fills in."""
    match value:
        case str():
            return value
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(map(_spell, parts))
        case {"Fn::Sub": str(text)}:
            return text
    return "X"


def _find(pattern: re.Pattern[str], value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from (match[0] for match in pattern.finditer(value))
    elif isinstance(value, Mapping | list):
        for entry in value.values() if isinstance(value, Mapping) else value:
            yield from _find(pattern, entry)
