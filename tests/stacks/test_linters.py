"""Linters of templates, policies and state machines find nothing but what is listed here with a reason."""

import json
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk.assertions import Template

from account import build as build_account
from tests.conftest import PROJECT
from tests.examples import IS_EXHAUSTIVE, only_exhaustive
from tests.stacks.conftest import read_context, read_stacks
from tests.stacks.resolving import resolve
from tests.stacks.synthesis import open_app

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

# Each linter has its own environment: their pinned requirements contradict ours.
TOOL = [sys.executable, "-m", "uv", "--quiet", "tool", "run", "--from"]
CFN_LINT_VERSION = "cfn-lint==1.58.0"
CFN_LINT = [*TOOL, CFN_LINT_VERSION, "cfn-lint", "--include-checks", "I", "--include-experimental", "--format", "json"]
CHECKOV = [*TOOL, "checkov==3.3.30", "checkov", "--skip-download", "--framework", "cloudformation"]
# Nothing newer has been released, and it asks for what setuptools no longer has.
PARLIAMENT = [*TOOL, "parliament==1.6.4", "--with", "setuptools<81", "python", "-W", "ignore", "-c"]
# Prints the findings on each policy of those on standard input.
ASK_PARLIAMENT = """
import json, sys
from parliament import analyze_policy_string
policies = {name: analyze_policy_string(json.dumps(policy)) for name, policy in json.load(sys.stdin).items()}
print(json.dumps([(found.issue, name) for name, policy in policies.items() for found in policy.findings]))
"""
# The package and what it drags in, pinned.
ASL_VALIDATOR = PROJECT / "tests" / "linters"
# The environments, the one that has more before the other, and what neither of them has.
VARIANTS = ("prod", "dev", "notebook", "private-notebook", "people", "object-lambda", "alarms", "front-door")
ACCOUNT = "account"


@dataclass(frozen=True, order=True)
class Finding:
    """A rule that a resource breaks."""

    rule: str
    resource: str

    def is_covered_by(self, exception: "Finding") -> bool:
        """Whether an exception, whose resource is a pattern, lets this pass."""
        return self.rule == exception.rule and fnmatchcase(self.resource, exception.resource)


NO_KEY = "Encrypted with AWS's own key; encryption.customer_key gives one of the customer's, as in prod."
UNSCOPED = (
    "SageMaker refuses a processing job in a VPC whose role scopes what it may do to network interfaces; only "
    "SageMaker may take the role."
)
EXACT_ARN = "The condition compares with one ARN without wildcards, which StringEquals and ArnEquals do alike."
THROUGH_AN_ACCESS_POINT = (
    "Objects are read through an access point, whose ARN parliament does not know as one of an object or a bucket."
)
TWO_RESOURCES = (
    "Making or updating an endpoint is decided on the endpoint and on its configuration; their conditions differ, so "
    "each has its own statement."
)
NO_EXPRESS_EXECUTIONS = (
    "parliament wants an ARN for every kind of resource that the action knows; the machines are standard ones, "
    "without express executions or map runs."
)
NEWER_KEY = (
    "AWS documents lambda:InvokedViaFunctionUrl for function URLs since October 2025; parliament's data are of April."
)
CFN_LINT_EXCEPTIONS: Mapping[Finding, str] = {
    Finding("I1022", "*"): "The CDK writes Fn::Join where somebody who writes templates by hand would write Fn::Sub.",
    Finding(
        "I4010", "*"
    ): "The Context block describes a template to those who have nothing else; docs/ describes these.",
    Finding("W3005", "*/*/*StateMachine????????"): (
        "CDK makes the machine wait for its role and the role's policy together; RoleArn names only the role."
    ),
    Finding("W3011", "*/*/*LiveVersion????????"): (
        "a deployment keeps the versions before it, which are deleted with their state machine"
    ),
    Finding("E1022", "*/*/*StateMachine????????"): (
        "cfn-lint does not know yet that parts of Fn::Join may come from Fn::GetStackOutput, as CDK reads other stacks."
    ),
    Finding("W3005", "*/*/*CleanUpFunction????????"): (
        "CDK makes a function wait for its role and the role's policy together; Role names only the role."
    ),
    Finding("W3005", "*/*/*RegistrarFunction????????"): (
        "CDK makes a function wait for its role and the role's policy together; Role names only the role."
    ),
    Finding("W3005", "*/Normalizer/NormalizerFunction????????"): (
        "CDK makes a function wait for its role and the role's policy together; Role names only the role."
    ),
}
CHECKOV_EXCEPTIONS: Mapping[Finding, str] = {
    Finding("CKV_AWS_73", "front-door/FrontDoor/ApiDeploymentStagelive????????"): (
        "X-Ray costs per request; the API's log says of each how long the endpoint and the whole of it took."
    ),
    Finding("CKV_AWS_120", "front-door/FrontDoor/ApiDeploymentStagelive????????"): (
        "API Gateway caches answers to GET alone; what is asked here is a POST, and its answer another one each time."
    ),
    Finding("CKV_AWS_149", "front-door/FrontDoor/Proof????????"): NO_KEY,
    Finding("CKV_AWS_68", "front-door/FrontDoor/Delivery????????"): (
        "The web ACL stands at the API, which every request reaches, since CloudFront keeps nothing."
    ),
    Finding("CKV_AWS_86", "front-door/FrontDoor/Delivery????????"): (
        "Every request reaches the API, whose log says who called, when and with which outcome."
    ),
    Finding("CKV_AWS_136", "*/Registry/*"): (
        "Images hold programs, not data: ECR encrypts them with AES-256, and only the jobs' roles may pull them."
    ),
    Finding("CKV_AWS_27", "*/*/ApprovalNotStarted????????"): (
        "What EventBridge could not deliver is encrypted by SQS itself, and names versions of models, nothing secret."
    ),
    Finding("CKV_AWS_18", "*/Storage/AccessLogs????????"): (
        "It is where the other buckets log to; if it logged to itself, every log would cause another."
    ),
    Finding("CKV_AWS_33", "prod/Encryption/Key????????"): (
        "FSx uses the key as a role that AWS makes and names; conditions admit that kind of role of this account, "
        "through S3 only."
    ),
    # Whatever has no key of its own: not prod, nor the private notebook.
    Finding("CKV_AWS_158", "[!p]*/*/*Logs????????"): NO_KEY,
    Finding("CKV_AWS_158", "people/*/*Logs????????"): NO_KEY,
    Finding("CKV_AWS_109", "*/Normalizer/BulkRoleDefaultPolicy????????"): UNSCOPED,
    Finding("CKV_AWS_111", "*/Normalizer/BulkRoleDefaultPolicy????????"): UNSCOPED,
    Finding("CKV_AWS_158", "account/Account/*"): (
        "Encrypted with AWS's own key; account.logs.customer_key gives the groups one of the customer's."
    ),
    Finding("CKV_AWS_187", "notebook/Notebook/Instance"): NO_KEY,
    Finding("CKV_AWS_115", "*/Normalizer/NormalizerFunction????????"): (
        "normalizer.reserved_concurrency is a setting: what it reserves is taken from the account's other functions."
    ),
    Finding("CKV_AWS_116", "*/Normalizer/NormalizerFunction????????"): (
        "It is not invoked asynchronously: every caller waits for the answer and gets its failure."
    ),
    Finding("CKV_AWS_117", "*/Normalizer/NormalizerFunction????????"): (
        "It speaks to S3 only, which its role limits; nothing in the network is of use to it."
    ),
    Finding("CKV_AWS_115", "*/*/*CleanUpFunction????????"): (
        "It runs once for each execution, and the state machine calls it again when it is throttled."
    ),
    Finding("CKV_AWS_116", "*/*/*CleanUpFunction????????"): (
        "The state machine waits for it; events of other ends are tried three times, and the history still has them."
    ),
    Finding("CKV_AWS_117", "*/*/*CleanUpFunction????????"): (
        "It calls AWS's APIs only, which its role limits; nothing in the network is of use to it."
    ),
    Finding("CKV_AWS_173", "*/*/*CleanUpFunction????????"): (
        "Its variable names the topic of alarms, which is nothing secret; AWS's own key encrypts it."
    ),
    Finding("CKV_AWS_115", "*/*/*RegistrarFunction????????"): (
        "It runs once for each model, and the state machine calls it again when it is throttled."
    ),
    Finding("CKV_AWS_116", "*/*/*RegistrarFunction????????"): (
        "The state machine waits for its answer, so there is no event that could be lost."
    ),
    Finding("CKV_AWS_117", "*/*/*RegistrarFunction????????"): (
        "It calls AWS's APIs only, which its role limits; nothing in the network is of use to it."
    ),
    Finding("CKV_AWS_173", "*/*/*RegistrarFunction????????"): (
        "Its variable names the work bucket, which is nothing secret; AWS's own key encrypts it."
    ),
    Finding("CKV_AWS_173", "*/Normalizer/NormalizerFunction????????"): (
        "Its variables name a bucket, an access point and a switch: nothing secret; AWS's own key encrypts them."
    ),
}
PARLIAMENT_EXCEPTIONS: Mapping[Finding, str] = {
    Finding("MISMATCHED_TYPE_BUT_USABLE", "*/Normalizer/*"): EXACT_ARN,
    Finding("MISMATCHED_TYPE_BUT_USABLE", "*/Images/ImageTrainingRoleDefaultPolicy????????"): EXACT_ARN,
    Finding("RESOURCE_MISMATCH", "*/Normalizer/*"): THROUGH_AN_ACCESS_POINT,
    Finding("RESOURCE_MISMATCH", "*/Images/ImageTrainingRoleDefaultPolicy????????"): THROUGH_AN_ACCESS_POINT,
    Finding("RESOURCE_MISMATCH", "*/*/TrainingWorkflowRoleDefaultPolicy????????"): TWO_RESOURCES,
    Finding("RESOURCE_MISMATCH", "*/Notebook/RoleDefaultPolicy????????"): NO_EXPRESS_EXECUTIONS,
    Finding("RESOURCE_MISMATCH", "*/People/Viewer????????"): NO_EXPRESS_EXECUTIONS,
    Finding("RESOURCE_MISMATCH", "*/*/*CleanUpExecutions????????"): NO_EXPRESS_EXECUTIONS,
    Finding("RESOURCE_MISMATCH", "*/*/*OwnExecutions????????"): NO_EXPRESS_EXECUTIONS,
    Finding("RESOURCE_STAR", "*/Normalizer/BulkRoleDefaultPolicy????????"): UNSCOPED,
    Finding("UNKNOWN_CONDITION_FOR_ACTION", "*/Normalizer/*"): NEWER_KEY,
    Finding("UNKNOWN_CONDITION_FOR_ACTION", "*/Images/ImageTrainingRoleDefaultPolicy????????"): NEWER_KEY,
}


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of templates for each variant, without those that an earlier one has as well.

    `make test` leaves out those, too, that have no type of resource which an earlier one of their stack has not.
    """
    folder = tmp_path_factory.mktemp("templates")
    seen: set[str] = set()
    types: defaultdict[str, set[str]] = defaultdict(set)
    for variant in VARIANTS:
        (folder / variant).mkdir()
        for stack, made in read_stacks(variant).items():
            text = json.dumps(template := made["template"])
            new_types = {resource["Type"] for resource in template["Resources"].values()} - types[stack]
            if text not in seen and (new_types or IS_EXHAUSTIVE):
                (folder / variant / f"{stack}.json").write_text(text)
            seen.add(text)
            types[stack] |= new_types
    (folder / ACCOUNT).mkdir()
    (account,) = build_account(open_app(read_context())).node.children
    assert isinstance(account, cdk.Stack)
    (folder / ACCOUNT / "Account.json").write_text(json.dumps(Template.from_stack(account).to_json()))
    return folder


def run_linter(command: list[str], **options: Any) -> Any:
    """What a linter reports; it exits with an error whenever it finds something, and without a report when it broke."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def run_cfn_lint(templates: Path) -> set[Finding]:
    matches = run_linter([*CFN_LINT, str(templates / "*" / "*.json")])
    return {Finding(match["Rule"]["Id"], name_match(templates, match)) for match in matches}


def name_match(templates: Path, match: Mapping[str, Any]) -> str:
    """Where a match of cfn-lint is, as `variant/stack/resource`."""
    template = Path(match["Filename"]).relative_to(templates).with_suffix("")
    return "/".join([template.as_posix(), *match["Location"]["Path"][1:2]])


def run_checkov(templates: Path) -> set[Finding]:
    report = run_linter([*CHECKOV, "--quiet", "--compact", "--output", "json", "--directory", str(templates)])
    assert report["summary"]["parsing_errors"] == 0
    assert report["summary"]["passed"] > 0
    return {Finding(check["check_id"], name_check(check)) for check in report["results"]["failed_checks"]}


def name_check(check: Mapping[str, Any]) -> str:
    """Where a check of checkov failed, as `variant/stack/resource`."""
    template = Path(check["file_path"].lstrip("/")).with_suffix("")
    return f"{template.as_posix()}/{check['resource'].rpartition('.')[2]}"


def list_policies(templates: Path) -> Iterator[tuple[str, Any]]:
    """Each policy of a role or a person, by `variant/stack/resource`."""
    for path in sorted(templates.glob("*/*.json")):
        variant, stack = path.parent.name, path.stem
        for name, resource in json.loads(path.read_text())["Resources"].items():
            if resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
                document = resolve(read_stacks(variant), stack, resource["Properties"]["PolicyDocument"])
                yield f"{variant}/{stack}/{name}", document


def run_parliament(templates: Path) -> set[Finding]:
    policies = dict(list_policies(templates))
    assert len(policies) > 20
    return {Finding(*found) for found in run_linter([*PARLIAMENT, ASK_PARLIAMENT], input=json.dumps(policies))}


@dataclass(frozen=True)
class Report:
    """What a linter found, and what it may find."""

    findings: set[Finding]
    exceptions: Mapping[Finding, str]


LINTERS = {
    "cfn-lint": (run_cfn_lint, CFN_LINT_EXCEPTIONS),
    "checkov": (run_checkov, CHECKOV_EXCEPTIONS),
    "parliament": (run_parliament, PARLIAMENT_EXCEPTIONS),
}


@pytest.fixture(scope="module")
def reports(templates: Path) -> Callable[[str], Report]:
    """The report of a linter on all templates, made once whatever the order of the tests."""

    @cache
    def make_report(name: str) -> Report:
        run, exceptions = LINTERS[name]
        return Report(run(templates), exceptions)

    return make_report


@pytest.fixture(params=LINTERS)
def report(request: pytest.FixtureRequest, reports: Callable[[str], Report]) -> Report:
    """Each linter's report on all templates."""
    return reports(request.param)


def test_finds_only_what_is_listed(report: Report) -> None:
    unlisted = [f for f in report.findings if not any(f.is_covered_by(e) for e in report.exceptions)]

    assert sorted(unlisted) == []


@only_exhaustive("not every template is linted")
def test_lists_nothing_that_is_no_longer_found(report: Report) -> None:
    stale = [e for e in report.exceptions if not any(f.is_covered_by(e) for f in report.findings)]

    assert stale == []


def test_gives_a_reason_for_everything_listed(report: Report) -> None:
    assert [reason for reason in report.exceptions.values() if len(reason.split()) < 10] == []


@pytest.fixture(scope="module")
def asl_validator(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("linters")
    shutil.copytree(ASL_VALIDATOR, folder, dirs_exist_ok=True)
    subprocess.run(["npm", "ci", "--no-audit", "--no-fund", "--silent", "--prefer-offline"], cwd=folder, check=True)
    return [str(folder / "node_modules" / ".bin" / "asl-validator")]


def test_state_machines_are_in_the_language_of_states(asl_validator: list[str], tmp_path: Path) -> None:
    seen: set[str] = set()
    for variant in VARIANTS:
        for stack, made in read_stacks(variant).items():
            for name, resource in made["template"]["Resources"].items():
                if resource["Type"] == "AWS::StepFunctions::StateMachine":
                    definition = resolve(read_stacks(variant), stack, resource["Properties"]["DefinitionString"])
                    if definition not in seen:
                        (tmp_path / f"{variant}-{stack}-{name}.json").write_text(definition)
                    seen.add(definition)
    paths = [word for path in sorted(tmp_path.iterdir()) for word in ("--json-path", str(path))]

    done = subprocess.run([*asl_validator, *paths], capture_output=True, text=True, check=False)

    assert done.stdout.count("is valid") == len(paths) // 2 > 0
    assert (done.returncode, done.stderr) == (0, "")
