"""The workflow that deploys on a push, and the roles that it takes, are as safe as the page about them says."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from headrace import contract
from headrace.cli import cli
from headrace.cli.execution_report import EXIT_CODES
from headrace.recipes import list_usual_recipes
from tests.conftest import PROJECT
from tests.stacks.conftest import ENVIRONMENTS, template_of
from tests.stacks.test_linters import CFN_LINT

FOLDER = PROJECT / "examples" / "github_actions"
WORKFLOW = yaml.safe_load((FOLDER / "headrace.yml").read_text())
# YAML 1.1, which PyYAML reads, takes the word `on` for a truth value.
TRIGGERS = WORKFLOW[True]
ROLES = yaml.safe_load((FOLDER / "roles.yml").read_text())
# The jobs that reach AWS.
TRUSTED = {"deploy", "train"}
GITHUB = "token.actions.githubusercontent.com"
COMMIT = "3e46638e1c1f5a1d3a6f0c8e6f3b9a4d2c7e8f90"
# What a step is given by the runner.
RUNNER = {"GITHUB_SHA": COMMIT, "GITHUB_RUN_ID": "17", "GITHUB_RUN_ATTEMPT": "2"}
CONTEXT = {"HEADRACE_ENV": "dev", "WORKLOAD": "bigmart"}


def list_steps() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every step, with its job's name."""
    for name, job in WORKFLOW["jobs"].items():
        for step in job["steps"]:
            yield name, step


SCRIPTS = [step["run"] for _, step in list_steps() if "run" in step]


def list_commands(program: str) -> list[list[str]]:
    """The words that the scripts give to a program."""
    joined = [re.sub(r"\\\n\s*", " ", script) for script in SCRIPTS]
    # What is given where a variable is set.
    joined = [re.sub(r"\$\{\w+:\+([^}]*)\}", r"\1", script) for script in joined]
    lines = [line.strip() for script in joined for line in script.splitlines()]
    found = [re.match(rf"{program} ([^|>;&]*)", line) for line in lines]
    return [shlex.split(match[1]) for match in found if match]


def list_statements(role: str) -> dict[str, dict[str, Any]]:
    """What a role may do, by the names of the statements."""
    (policy,) = ROLES["Resources"][role]["Properties"]["Policies"]
    return {statement["Sid"]: statement for statement in policy["PolicyDocument"]["Statement"]}


def list_words(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def test_pins_every_action_to_a_commit_and_says_which_version_it_is() -> None:
    lines = [line for line in (FOLDER / "headrace.yml").read_text().splitlines() if "uses:" in line]

    assert lines
    assert [line for line in lines if not re.search(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line)] == []


def test_pins_an_action_to_one_commit_everywhere() -> None:
    pins = {step["uses"] for _, step in list_steps() if "uses" in step}

    assert len(pins) == len({pin.partition("@")[0] for pin in pins})


def test_allows_nothing_but_reading_and_a_token_where_aws_is_reached() -> None:
    reading = {"contents": "read"}
    trusted = {"contents": "read", "id-token": "write"}

    assert WORKFLOW["permissions"] == {}
    assert {name: job["permissions"] for name, job in WORKFLOW["jobs"].items()} == {
        name: trusted if name in TRUSTED else reading for name in WORKFLOW["jobs"]
    }


def test_reaches_aws_from_the_branch_and_the_environment_that_are_protected() -> None:
    jobs = WORKFLOW["jobs"]

    assert {name for name, job in jobs.items() if "environment" in job} == TRUSTED
    assert jobs["deploy"]["if"] == "github.event_name != 'pull_request' && github.ref == 'refs/heads/main'"
    # A job whose need was skipped is skipped, too.
    assert (jobs["train"]["needs"], "if" in jobs["train"]) == ("deploy", False)
    assert "pull_request_target" not in TRIGGERS


def test_keeps_no_secret_and_leaves_none_in_the_checkout() -> None:
    assert "secrets." not in (FOLDER / "headrace.yml").read_text()
    checkouts = [step for _, step in list_steps() if step.get("uses", "").startswith("actions/checkout@")]
    assert [step["with"]["persist-credentials"] for step in checkouts] == [False] * len(checkouts)


def name_group(ref: str, **inputs: str) -> str:
    """The group of runs that wait for each other, as GitHub evaluates its expression."""
    before, expression, _ = re.split(r"\$\{\{ | \}\}", WORKFLOW["concurrency"]["group"])
    values = {"github.ref": ref, **{f"inputs.{name}": value for name, value in inputs.items()}}

    def read(term: str) -> str:
        return term.strip("'") if term.startswith("'") else values.get(term, "")

    for alternative in expression.split(" || "):
        *conditions, value = alternative.split(" && ")
        sides = [condition.split(" != ") for condition in conditions]
        if read(value) and all(read(left) != read(right) for left, right in sides):
            return before + read(value)
    return before


def test_deploys_one_push_after_the_other() -> None:
    main = "refs/heads/main"

    assert name_group(main) == name_group(main, environment="dev") == "headrace-dev"
    assert name_group(main, environment="prod") == "headrace-prod"
    assert WORKFLOW["concurrency"]["cancel-in-progress"] == "${{ github.event_name == 'pull_request' }}"


@pytest.mark.parametrize("ref", ["refs/heads/base-image-222222222222", "refs/pull/7/merge"])
def test_lets_no_run_that_only_tests_take_the_place_of_a_deployment_that_waits(ref: str) -> None:
    assert name_group(ref, environment="dev") == f"headrace-{ref}"


def test_installs_packages_before_there_are_credentials() -> None:
    for job in TRUSTED:
        steps = [step for name, step in list_steps() if name == job]
        credentials = next(i for i, step in enumerate(steps) if "configure-aws-credentials" in step.get("uses", ""))
        assert {"run": "make setup"} in steps[:credentials]


def test_hands_nothing_to_a_shell_that_somebody_else_has_written() -> None:
    assert [script for script in SCRIPTS if "${{" in script] == []


@pytest.mark.parametrize("script", SCRIPTS)
def test_has_scripts_that_a_shell_can_read(script: str) -> None:
    done = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")


def test_runs_verbs_that_exist() -> None:
    verbs = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    taken = set(re.findall(r"^(\w+) \?=", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    words = [word for command in list_commands("make") for word in command if word not in ("-C", "base")]

    assert {word for word in words if "=" not in word} == {"test-fast", "synth", "setup", "deploy"} & verbs
    assert {word.partition("=")[0] for word in words if "=" in word} == {"ENV", "COMMIT"} & taken


@pytest.mark.parametrize("command", list_commands("headrace"), ids=" ".join)
def test_runs_commands_with_options_that_exist(command: list[str]) -> None:
    found: click.Command = cli
    context = click.Context(cli)
    words = [CONTEXT.get(word.lstrip("$"), word) for word in command]
    while isinstance(found, click.Group):
        following = found.get_command(context, words.pop(0))
        assert following
        context, found = click.Context(following, parent=context), following

    _, left, _ = found.make_parser(context).parse_args(words)

    assert (found.name in {"changes", "cost", "start"}, left) == (True, [])


def test_offers_the_environments_and_workloads_that_there_are() -> None:
    inputs = TRIGGERS["workflow_dispatch"]["inputs"]

    assert inputs["environment"]["options"] == list(ENVIRONMENTS)
    assert inputs["workload"]["options"] == [recipe.name for recipe in list_usual_recipes()]


def test_starts_for_files_that_exist() -> None:
    paths = [path for path in TRIGGERS["push"]["paths"] if not path.startswith(".github/")]

    assert [path for path in paths if not any(PROJECT.glob(path))] == []
    assert TRIGGERS["pull_request"]["paths"] == TRIGGERS["push"]["paths"]


def run_step(name: str, folder: Path, stub: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a step as the runner does, with a program that stands in for `headrace`; its summary is in `summary.md`."""
    (folder / ".venv" / "bin").mkdir(parents=True)
    program = folder / ".venv" / "bin" / "headrace"
    program.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > given\n{stub}\n')
    program.chmod(0o755)
    (script,) = (step["run"] for _, step in list_steps() if step.get("name") == name)
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "GITHUB_STEP_SUMMARY": str(folder / "summary.md"), **RUNNER, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def train(folder: Path, code: int) -> tuple[int, str, str]:
    """What the job that trains ends with, and says in its output and in the summary, when the command exits so."""
    done = run_step("Train, judge and serve", folder, f"exit {code}", **CONTEXT)
    return done.returncode, done.stdout, (folder / "summary.md").read_text()


@pytest.mark.parametrize(
    ("code", "exit_code", "annotation", "summary"),
    [
        (0, 0, "", "serves its model"),
        (EXIT_CODES[contract.Outcome.REFUSED], 0, "::warning::", "was refused by the gate"),
        (EXIT_CODES[contract.Outcome.PENDING_APPROVAL], 0, "::notice::", "waits for approval"),
        (1, 1, "", "failed: headrace pipeline show push-3e46638e1c1f-17-2 --env dev"),
    ],
)
def test_says_what_the_execution_has_come_to(
    tmp_path: Path, code: int, exit_code: int, annotation: str, summary: str
) -> None:
    ended, said, written = train(tmp_path, code)

    assert ended == exit_code
    assert said.startswith(annotation)
    assert bool(said) == bool(annotation)
    assert summary in written


def test_names_the_execution_after_the_push(tmp_path: Path) -> None:
    train(tmp_path, 0)

    given = (tmp_path / "given").read_text().splitlines()
    options = dict(zip(given[3::2], given[4::2], strict=True))
    assert given[:3] == ["pipeline", "start", "--wait"]
    assert (options["--env"], options["--workload"]) == ("dev", "bigmart")
    assert options["--name"] == "push-3e46638e1c1f-17-2"
    assert json.loads(options["--input"]) == {"Comment": f"started by a push of {COMMIT}"}


@pytest.mark.parametrize(("code", "annotation"), [(0, ""), (1, "::warning::")])
def test_shows_what_a_pull_request_would_change(tmp_path: Path, code: int, annotation: str) -> None:
    done = run_step("Say what would change", tmp_path, f"echo replaced Storage; exit {code}", **CONTEXT)

    assert (done.returncode, done.stdout.startswith(annotation)) == (0, True)
    assert "~~~~\nreplaced Storage\n~~~~" in (tmp_path / "summary.md").read_text()


def test_fails_when_it_cannot_say_what_would_change(tmp_path: Path) -> None:
    done = run_step("Say what would change", tmp_path, "echo broken >&2; exit 1", **CONTEXT)

    assert done.returncode != 0
    assert not (tmp_path / "summary.md").exists()


def test_shows_what_a_pull_request_would_cost(tmp_path: Path) -> None:
    done = run_step("Say what it would cost", tmp_path, "echo 33 more", **CONTEXT)

    assert done.returncode == 0
    assert (tmp_path / "given").read_text().split() == ["cost", "--compare", "base/cdk.out"]
    assert (tmp_path / "summary.md").read_text() == "33 more\n"


def test_fails_when_more_would_stand_than_is_allowed(tmp_path: Path) -> None:
    done = run_step("Say what it would cost", tmp_path, "echo 33 more; exit 1", MAX_STANDING="50", **CONTEXT)

    assert done.returncode == 1
    assert (tmp_path / "given").read_text().split()[-2:] == ["--max-standing", "50"]
    assert "33 more" in (tmp_path / "summary.md").read_text()


def test_trusts_one_environment_and_branch_of_one_repository() -> None:
    roles = [resource for resource in ROLES["Resources"].values() if resource["Type"] == "AWS::IAM::Role"]

    assert len(roles) == len(TRUSTED)
    for role in roles:
        (statement,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Action"] == "sts:AssumeRoleWithWebIdentity"
        assert statement["Condition"] == {
            "StringEquals": {
                f"{GITHUB}:aud": "sts.amazonaws.com",
                f"{GITHUB}:sub": {"Fn::Sub": "repo:${Repository}:environment:${Environment}"},
                f"{GITHUB}:ref": {"Fn::Sub": "refs/heads/${Branch}"},
            }
        }


@pytest.mark.parametrize(
    ("repository", "is_taken"),
    [
        ("shop/headrace", True),
        ("shop@123456/headrace@789012", True),
        ("shop/*", False),
        ("*", False),
        ("shop/headrace:environment:dev", False),
        ("shop/headrace\n", False),
    ],
)
def test_takes_repositories_without_wildcards(repository: str, is_taken: bool) -> None:
    pattern = ROLES["Parameters"]["Repository"]["AllowedPattern"]

    # CloudFormation compares with the whole value.
    assert bool(re.fullmatch(pattern, repository)) is is_taken


def test_takes_the_environments_that_an_app_may_have() -> None:
    assert ROLES["Parameters"]["Environment"]["AllowedPattern"] == contract.ENVIRONMENT_NAME


def test_may_push_to_the_repositories_of_the_environment_and_no_more() -> None:
    pushing = list_statements("DeployRole")["PushContainerImages"]
    name = contract.stack_name("${Environment}", "Registry")

    assert pushing["Action"] == list(contract.PUSH_ACTIONS)
    assert pushing["Resource"]["Fn::Sub"].endswith(f":repository/{name}-*")


def test_may_do_anywhere_only_what_cannot_be_limited() -> None:
    everywhere = [
        action
        for role in ("DeployRole", "TrainRole")
        for statement in list_statements(role).values()
        if statement["Resource"] == "*"
        for action in list_words(statement["Action"])
    ]

    assert everywhere == ["ecr:GetAuthorizationToken"]


def test_may_look_for_the_repositories_where_they_are() -> None:
    finding = list_statements("DeployRole")["FindRepositories"]

    assert finding["Action"] == "cloudformation:DescribeStacks"
    assert finding["Resource"]["Fn::Sub"].endswith(f":stack/{contract.stack_name('${Environment}', 'Registry')}/*")


def test_may_start_the_state_machines_of_the_environment_that_train() -> None:
    statements = list_statements("TrainRole")
    trained = [
        logical_id
        for recipe in list_usual_recipes()
        for logical_id in template_of(recipe.stack_id).find_resources("AWS::StepFunctions::StateMachine")
    ]

    assert set(statements) == {"FindStateMachine", "Start", "Watch"}
    assert all(logical_id.startswith("TrainingStateMachine") for logical_id in trained)
    for sid, kind in (("Start", "stateMachine"), ("Watch", "execution")):
        # With and without the stack, whose name the generated one may begin with.
        assert [resource["Fn::Sub"].partition(f":{kind}:")[2] for resource in statements[sid]["Resource"]] == [
            "TrainingStateMachine*",
            f"{contract.stack_name('${Environment}', '')}*-TrainingStateMachine*",
        ]
    assert statements["Start"]["Condition"] == {
        "StringEquals": {"aws:ResourceTag/project": "headrace", "aws:ResourceTag/environment": {"Ref": "Environment"}}
    }


def test_lends_the_roles_for_as_long_as_the_jobs_ask() -> None:
    asked = {
        step["with"]["role-to-assume"]: (step["with"]["role-duration-seconds"], WORKFLOW["jobs"][name])
        for name, step in list_steps()
        if "role-to-assume" in step.get("with", {})
    }

    assert set(asked) == {"${{ vars.AWS_DEPLOY_ROLE_ARN }}", "${{ vars.AWS_TRAIN_ROLE_ARN }}"}
    for role in ("Deploy", "Train"):
        seconds, job = asked[f"${{{{ vars.AWS_{role.upper()}_ROLE_ARN }}}}"]
        assert seconds == ROLES["Resources"][f"{role}Role"]["Properties"]["MaxSessionDuration"]
        assert seconds == 60 * job["timeout-minutes"]


@pytest.mark.slow
def test_has_roles_in_which_cfn_lint_finds_nothing() -> None:
    # The Context block describes a template to those who have nothing else.
    command = [*CFN_LINT, "--ignore-checks", "I4010", "--", str(FOLDER / "roles.yml")]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (json.loads(done.stdout), done.returncode) == ([], 0)
