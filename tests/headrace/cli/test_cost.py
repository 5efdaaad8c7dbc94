"""`headrace cost` as a program, on templates that stand in people's accounts, on others' and on recordings."""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from headrace.assemblies import Assembly
from headrace.cli import cli
from headrace.inventory import Item, Maker
from headrace.inventory.prices import OLD_AFTER_DAYS, PriceList, usual_prices
from tests.headrace.cli.programs import PROJECT, ForkServer

ASSEMBLIES = PROJECT / "tests/assemblies"
FOREIGN = PROJECT / "tests/headrace/cost/foreign"
NAT = {
    "Gateway": {"Type": "AWS::EC2::NatGateway", "Properties": {"SubnetId": {"Ref": "NetworkVpc7FB7348F"}}},
    "Address": {"Type": "AWS::EC2::EIP"},
}
TRAINING = {
    "TrainingJobName": "t",
    "ResourceConfig": {"InstanceType": "ml.m5.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 0},
}


def with_nat(tmp_path: Path) -> Path:
    """The templates of `dev` after a change that adds a NAT gateway."""
    folder = tmp_path / "changed"
    shutil.copytree(ASSEMBLIES / "dev", folder)
    path = folder / "Network.json"
    template = json.loads(path.read_text())
    template["Resources"] |= NAT
    path.write_text(json.dumps(template))
    return folder


def record(folder: Path, name: str, seconds: int) -> Path:
    path = folder / f"{name}.json"
    path.write_text(json.dumps({**TRAINING, "BillableTimeInSeconds": seconds}))
    return path


def test_says_what_stands_by_stack_and_resource(headrace: ForkServer) -> None:
    done = headrace.run("cost", "--assembly", ASSEMBLIES / "prod", cwd=PROJECT)

    assert (done.code, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "What stands costs 175.30 USD a month while nothing runs."
    (lustre,) = (line for line in lines if "FsxFileSystem" in line)
    assert re.split(r"\s{2,}", lustre) == [
        "headrace-prod-filesystems",
        "FSx for Lustre file system",
        "FsxFileSystem7053E557",
        "174.00",
        "file_systems.fsx.enabled",
    ]


def test_gives_programs_the_same_as_json(headrace: ForkServer) -> None:
    done = headrace.run("cost", "--assembly", ASSEMBLIES / "dev", "--json", "--assume", "executions=2", cwd=PROJECT)

    report = json.loads(done.stdout)
    assert done.code == 0
    assert (report["environment"], round(report["standing_usd"], 6)) == ("dev", 0.3)
    assert {each["type"] for each in report["resources"]} == {"AWS::CloudWatch::Alarm"}
    assert {each["assumptions"]["executions"] for each in report["scenarios"].values()} == {2.0}
    low = report["scenarios"]["low"]
    assert low["month_usd"] == pytest.approx(
        report["standing_usd"] + 2 * low["execution_usd"] + sum(line["usd"] for line in low["month"])
    )


def test_fails_a_build_whose_templates_add_a_nat_gateway(headrace: ForkServer, tmp_path: Path) -> None:
    limit = ("--max-standing", "5")

    before = headrace.run("cost", "--assembly", ASSEMBLIES / "dev", *limit, cwd=PROJECT)
    after = headrace.run("cost", "--assembly", with_nat(tmp_path), *limit, cwd=PROJECT)

    assert (before.code, after.code) == (0, 1)
    # 0.30, and 730 hours at 0.045 and 0.005.
    assert after.stderr.splitlines()[0] == "36.80 USD a month stand, more than --max-standing 5.00"
    assert (
        after.stderr.splitlines()[1]
        == "  32.85  AWS::EC2::NatGateway headrace-dev-network/Gateway; off with network.nat_gateways"
    )


def test_fails_a_build_that_it_cannot_price(headrace: ForkServer) -> None:
    done = headrace.run("cost", "--assembly", FOREIGN / "cluster", "--max-standing", "10000", cwd=PROJECT)

    assert done.code == 1
    assert "the type AWS::SageMaker::Cluster is not priced" in done.stderr
    assert done.stderr.splitlines()[-1] == "4 things cannot be priced: they may cost more than --max-standing"


def test_writes_a_comment_for_a_pull_request(headrace: ForkServer, tmp_path: Path) -> None:
    done = headrace.run("cost", "--assembly", with_nat(tmp_path), "--compare", ASSEMBLIES / "dev", cwd=PROJECT)

    assert done.code == 0
    lines = done.stdout.splitlines()
    assert lines[:3] == [
        "### Cost",
        "",
        "What stands changes by **+36.50 USD a month**: 0.30 before, 36.80 after.",
    ]
    row = "| headrace-dev-network | NAT gateway | `Gateway` | 0.00 | 32.85 | `network.nat_gateways` |"
    assert row in lines
    (low,) = (line for line in lines if line.startswith("| low |"))
    # 1 GB goes through it, at 0.045.
    assert low.endswith("| +36.55 |")


def test_says_that_nothing_changes(headrace: ForkServer) -> None:
    folder = ASSEMBLIES / "dev"

    done = headrace.run("cost", "--assembly", folder, "--compare", folder, cwd=PROJECT)

    assert "What stands does not change: 0.30 before, 0.30 after." in done.stdout


def test_draws_a_chart_that_says_the_same_in_words(headrace: ForkServer, tmp_path: Path) -> None:
    chart = tmp_path / "cost.svg"

    done = headrace.run("cost", "--assembly", ASSEMBLIES / "prod", "--svg", chart, cwd=PROJECT)

    assert done.code == 0
    root = ElementTree.fromstring(chart.read_text())  # noqa: S314 (ours)
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"What prod costs", "standing: 175.30", "FSx for Lustre file system, filesystems", "174.00"} <= {*texts}
    width = float(root.attrib["viewBox"].split()[2])
    bars = [bar.attrib for bar in root.iter("{http://www.w3.org/2000/svg}rect")]
    assert all(float(bar.get("x", 0)) + float(bar["width"]) <= width for bar in bars)


def test_bills_an_execution_beside_what_was_predicted(headrace: ForkServer, tmp_path: Path) -> None:
    files = {name: record(tmp_path, name, seconds) for name, seconds in {"a": 3600, "b": 7200, "c": 10000}.items()}

    known = (f"{files['a']}@1", "--known", f"{files['b']}@2")
    done = headrace.run("cost", "--execution", f"{files['c']}@3", "--known", *known, cwd=PROJECT)

    assert done.code == 0
    # 10,000 and 10,800 seconds at 0.23 an hour.
    assert done.stdout.splitlines()[0] == "c has cost 0.6389 USD."
    assert "The prediction was 0.6900 USD, +8.0 %." in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--assembly", "nowhere"], 2, "nowhere is not there; make it with 'make synth ENV=…'"),
        (["--assembly", PROJECT / "docs" / "drawings" / ".."], 1, "holds neither an assembly of CDK nor templates"),
        (["--assume", "runs=1", "--assembly", ASSEMBLIES / "dev"], 1, "there is no assumption 'runs'"),
        (["--execution", "nowhere.json"], 2, "neither the ARN of an execution nor a file"),
        (["--execution", PROJECT / "cdk.json"], 1, "describes no job that has ended"),
        (["--execution", f"{PROJECT / 'cdk.json'}@much"], 2, "'much' is not a number; write RUN@SIZE"),
        (["--execution", PROJECT / "docs@home" / "nowhere.json"], 2, "neither the ARN of an execution nor a file"),
        (["--known", "a@1"], 2, "--known does nothing without --execution"),
        (["--bill", "--env", "dev", "--max-standing", "5"], 2, "--max-standing does nothing with --bill"),
        (["--execution", "a.json", "--max-standing", "5"], 2, "--max-standing does nothing with --execution"),
        (["--choices", "--max-standing", "5"], 2, "--max-standing does nothing with --choices"),
        (["--choices", "--env", "dev"], 2, "--env does nothing with --choices"),
        (["--choices", "--bill"], 2, "--choices does nothing with --bill"),
        (["--choices", "--assembly", "nowhere"], 2, "nowhere is not there"),
        (["--compare", ASSEMBLIES / "dev", "--scenario", "low"], 2, "--scenario does nothing with --compare"),
        (["--prices", PROJECT / "cdk.json"], 1, "is not a file of prices"),
        (["--max-standing", "-1"], 2, "-1"),
    ],
)
def test_refuses_what_it_cannot_read(
    headrace: ForkServer, arguments: list[object], code: int, message: str, tmp_path: Path
) -> None:
    done = headrace.run("cost", *arguments, cwd=PROJECT)

    assert (done.code, done.stdout) == (code, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_takes_a_recording_from_a_folder_whose_name_has_an_at_sign(headrace: ForkServer, tmp_path: Path) -> None:
    (folder := tmp_path / "me@home").mkdir()
    path = record(folder, "a", 3600)

    for run in (path, f"{path}@20000"):
        done = headrace.run("cost", "--execution", run, cwd=PROJECT)

        assert (done.code, done.stdout.splitlines()[:1]) == (0, ["a has cost 0.2300 USD."]), done.stderr


def with_scenarios(folder: Path, stack: str, scenarios: Mapping[str, Any]) -> Path:
    """An app of one stack whose settings change the scenarios."""
    folder.mkdir()
    template = {"Resources": {}, "Metadata": {"headrace:CostScenarios": scenarios}}
    (folder / f"{stack}.template.json").write_text(json.dumps(template))
    properties = {"templateFile": f"{stack}.template.json", "stackName": stack}
    artifact = {"type": "aws:cloudformation:stack", "environment": "aws://unknown-account/unknown-region"}
    manifest = {"version": "55.0.0", "artifacts": {"Main": {**artifact, "properties": properties}}}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def test_compares_choices_as_the_settings_assume(headrace: ForkServer, tmp_path: Path) -> None:
    app = with_scenarios(tmp_path / "app", "headrace-dev-main", {"moderate": {"executions": 3000}})

    given, set_, usual = (
        headrace.run("cost", "--choices", "--json", *arguments, cwd=tmp_path)
        for arguments in (("--assume", "executions=3000"), ("--assembly", app), ())
    )

    assert (set_.code, set_.stderr) == (0, "")
    assert set_.stdout == given.stdout != usual.stdout


@pytest.mark.parametrize(
    ("stack", "executions", "said"),
    [
        ("headrace-prod-main", 5, ""),
        ("headrace-dev-main", 7, "it is of 'dev'"),
        ("", 7, "holds neither an assembly of CDK nor templates"),
    ],
)
def test_takes_assumptions_from_what_is_synthesized_of_the_same_environment_alone(
    stack: str, executions: float, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assembly = tmp_path / "cdk.out"
    if stack:
        with_scenarios(assembly, stack, {"low": {"executions": 5}})
    else:
        assembly.mkdir()
    standing = Item(kind="AWS::EC2::EIP", name="a", maker=Maker.STACK, stack="headrace-prod-main")
    template = {"Metadata": {"headrace:CostScenarios": {"low": {"executions": 7}}}}
    stands = Assembly({"Main": "headrace-prod-main"}, {"Main": template})
    monkeypatch.setattr("headrace.cli.cost._read_living", lambda _: ([standing], stands))

    done = CliRunner().invoke(cli, ["cost", "--env", "prod", "--json", "--assembly", str(assembly)])

    assert (done.exit_code, said in done.stderr) == (0, True), done.output
    assert bool(done.stderr) is bool(said)
    assert json.loads(done.stdout)["scenarios"]["low"]["assumptions"]["executions"] == executions


def test_warns_of_old_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    old = PriceList("us-east-1", date(2020, 1, 1), usual_prices().prices)
    monkeypatch.setattr("headrace.inventory.usual_prices", lambda: old)

    done = CliRunner().invoke(cli, ["cost", "--assembly", str(ASSEMBLIES / "dev")])

    assert done.exit_code == 0
    assert "the prices of us-east-1 were checked on 2020-01-01: `headrace prices` reads today's" in done.stderr


def test_says_which_prices_it_could_not_refresh_for_half_a_year(monkeypatch: pytest.MonkeyPatch) -> None:
    known = usual_prices().prices
    kept = {name: replace(known[name], checked=date(2020, 1, 1)) for name in ("key-month", "alarm-month")}
    prices = PriceList("us-east-1", datetime.now(UTC).date(), {**known, **kept})
    monkeypatch.setattr("headrace.inventory.usual_prices", lambda: prices)

    done = CliRunner().invoke(cli, ["cost", "--assembly", str(ASSEMBLIES / "dev")])

    assert done.stderr == "not compared with AWS's price list for half a year: alarm-month, key-month\n"


def test_prices_are_old_after_half_a_year() -> None:
    prices = PriceList("us-east-1", date(2026, 1, 1), {})

    ages: Mapping[int, Any] = {
        days: prices.is_old(date.fromordinal(prices.checked.toordinal() + days))
        for days in (OLD_AFTER_DAYS, OLD_AFTER_DAYS + 1)
    }

    assert list(ages.values()) == [False, True]
