"""Files of a synthesized app that are not what CDK writes: refused with the file and the place in it."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from headrace.cli import cli

GOOD: dict[str, Any] = {"Resources": {"A": {"Type": "AWS::S3::Bucket"}}}
STACK = {"type": "aws:cloudformation:stack", "properties": {"templateFile": "S.template.json"}}
MANIFEST = {"artifacts": {"S": STACK}}


def refer(name: str) -> dict[str, Any]:
    return {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": name}}}


SHAPES: list[tuple[Any, Any, str]] = [
    ([], GOOD, "manifest.json: is not an object"),
    ({}, GOOD, "manifest.json: artifacts is missing"),
    ({"artifacts": {"S": {}}}, GOOD, "manifest.json: artifacts.S.type is missing"),
    ({"artifacts": {"S": {**STACK, "properties": {}}}}, GOOD, "artifacts.S.properties.templateFile is missing"),
    ({"artifacts": {"S": {**STACK, "dependencies": 1}}}, GOOD, "artifacts.S.dependencies is not a list"),
    (
        {"artifacts": {"S": {**STACK, "dependencies": ["T"]}, "T": {**STACK, "dependencies": ["S"]}}},
        {},
        "its stacks need each other",
    ),
    (MANIFEST, [], "S.template.json: is not an object"),
    (MANIFEST, {"Resources": []}, "S.template.json: Resources is not an object"),
    (MANIFEST, {"Resources": {"A": {}}}, "S.template.json: Resources.A.Type is missing"),
    (MANIFEST, {"Outputs": {"A": {}}}, "S.template.json: Outputs.A.Value is missing"),
    (MANIFEST, {"Resources": {"A": refer("B"), "B": refer("A")}}, "S.template.json: its resources need each other"),
]


@pytest.mark.parametrize("command", ["changes {0} {0}", "adopt --assembly {0}", "grants --account 1 --assembly {0}"])
@pytest.mark.parametrize(("manifest", "template", "fault"), SHAPES, ids=[fault for *_, fault in SHAPES])
def test_names_the_file_and_the_place(tmp_path: Path, command: str, manifest: Any, template: Any, fault: str) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "S.template.json").write_text(json.dumps(template))

    outcome = CliRunner().invoke(cli, command.format(tmp_path).split())

    assert isinstance(outcome.exception, SystemExit)
    assert outcome.exit_code == 1
    assert fault in outcome.output


@pytest.mark.parametrize("command", ["changes {0} {0}", "adopt --assembly {0}", "grants --account 1 --assembly {0}"])
def test_names_a_file_that_is_not_json(tmp_path: Path, command: str) -> None:
    (tmp_path / "manifest.json").write_text("{")

    outcome = CliRunner().invoke(cli, command.format(tmp_path).split())

    assert isinstance(outcome.exception, SystemExit)
    assert outcome.exit_code == 1
    assert f"{tmp_path}/manifest.json: is not JSON" in outcome.output
