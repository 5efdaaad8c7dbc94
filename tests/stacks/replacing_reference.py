"""What CloudFormation's reference says replaces a resource, as the CDK command line carries it for `cdk diff`."""

import gzip
import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from tests.conftest import PROJECT


@cache
def _read() -> Mapping[str, Any]:
    with gzip.open(PROJECT / "node_modules" / "aws-cdk" / "db.json.gz") as packed:
        schema: Mapping[str, Any] = json.load(packed)["schema"]
    return schema


@cache
def _types() -> Mapping[str, Any]:
    return {described["$id"]: described["properties"] for described in _read()["typeDefinition"]["entities"]}


@cache
def _resources() -> Mapping[str, Any]:
    return {described["cloudFormationType"]: described["properties"] for described in _read()["resource"]["entities"]}


def list_set_and_replacing(resource: Mapping[str, Any]) -> list[str]:
    """The properties that a resource of a template sets and whose change replaces it, as paths."""
    described = _resources().get(resource["Type"], {})
    return list(_walk(described, resource.get("Properties", {}), "/properties"))


def _walk(described: Mapping[str, Any], values: Any, path: str) -> Iterator[str]:
    for name in described.keys() & (values.keys() if isinstance(values, Mapping) else ()):
        if described[name].get("causesReplacement") == "yes":
            yield f"{path}/{name}"
        for referred in _list_types(described[name]["type"]):
            yield from _walk(_types().get(referred, {}), values[name], f"{path}/{name}")


def _list_types(described: Any) -> Iterator[str]:
    if isinstance(described, Mapping):
        if described.get("type") == "ref":
            yield described["reference"]["$ref"]
        for value in described.values():
            yield from _list_types(value)
    elif isinstance(described, list):
        for value in described:
            yield from _list_types(value)
