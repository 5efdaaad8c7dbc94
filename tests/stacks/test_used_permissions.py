"""Whatever permission is taken from a role, a call is denied when everything runs, or there is a reason why not.

Judged by what roles did in real runs: `tests/end_to_end/test_recording_calls.py` writes that down.
"""

import copy
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest

from headrace.local.engine.access.matching import match_wildcards
from headrace.policies import as_list
from tests.evaluators import ACCOUNT, Question, decide
from tests.recordings import read_recording
from tests.stacks.conftest import find_resources, read_stacks
from tests.tables import PROJECT

ENVIRONMENTS = ("dev", "prod")
PAGE = PROJECT / "docs" / "permissions.md"
ROLE = "AWS::IAM::Role"
# So much of all permissions may have a reason not to be missed.
MOST_NOT_MISSED = 0.08


@dataclass(frozen=True)
class Taken:
    """A permission that is taken away from a role.

    Args:
        role: The role, by stack and logical id.
        action: The action that one statement allows no more.
        place: The policy and the statement.
    """

    role: str
    action: str
    place: tuple[int, int]


@dataclass(frozen=True)
class Reason:
    """Why a role has a permission that no run misses.

    Args:
        actions: What it may do.
        roles: A pattern of the logical ids of roles.
        why: The reason.
    """

    actions: tuple[str, ...]
    roles: str
    why: str

    def is_of(self, taken: Taken) -> bool:
        """Whether it is a reason for a permission."""
        return taken.action in self.actions and re.match(self.roles, taken.role.partition("/")[2]) is not None


REASONS = (
    Reason(
        ("s3:GetObject",),
        "TrainingRegistrarRole",
        "each of two statements allows what is read of an execution of today; one is for those of before",
    ),
    Reason(
        ("sagemaker:UpdateEndpoint",),
        "TrainingWorkflowRole",
        "one of two statements is for an endpoint that was made before it had the tags of its environment",
    ),
    Reason(
        ("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
        "NetworkVpcFlowLogIAMRole",
        "the local cloud has no network whose flows could be logged",
    ),
    Reason(
        ("sagemaker:StopProcessingJob", "sagemaker:StopTrainingJob"),
        ".*CleanUpRole",
        "Step Functions stops the job of a task that ends early; this is for jobs whose creation was answered with an "
        "error",
    ),
    Reason(
        ("states:DescribeExecution",),
        ".*CleanUpRole",
        "the events of the recorded ends say enough; an event leaves out what is too long for it",
    ),
)


def explain(taken: Taken) -> str:
    """Why a role has a permission that no run misses, or nothing."""
    return next((reason.why for reason in REASONS if reason.is_of(taken)), "")


@cache
def read(environment: str) -> Mapping[str, Any]:
    return read_recording(environment)


@cache
def take_away(environment: str) -> tuple[Taken, ...]:
    """Each action of each statement, taken away alone."""
    return tuple(
        Taken(role, action, (at, number))
        for role, described in read(environment)["roles"].items()
        for at, policy in enumerate(described["policies"])
        for number, statement in enumerate(as_list(policy["Statement"]))
        for action in as_list(statement["Action"])
    )


def read_policies_without(environment: str, taken: Taken) -> list[Mapping[str, Any]]:
    """The policies of a role without a permission."""
    policies: list[Mapping[str, Any]] = copy.deepcopy(read(environment)["roles"][taken.role]["policies"])
    at, number = taken.place
    statement = as_list(policies[at]["Statement"])[number]
    statement["Action"] = [action for action in as_list(statement["Action"]) if action != taken.action] or ["none:None"]
    return policies


@cache
def list_not_missed(environment: str) -> tuple[Taken, ...]:
    """The permissions without which every recorded call would be allowed all the same."""
    return tuple(taken for taken in take_away(environment) if not is_missed(environment, taken))


def list_calls(environment: str, role: str) -> list[Mapping[str, Any]]:
    recording = read(environment)
    name = recording["roles"][role]["name"]
    return [call for call in recording["calls"] if call["role"] == name]


def allows(policies: Iterable[Mapping[str, Any]], call: Mapping[str, Any]) -> bool:
    """Whether policies of a role allow a call."""
    question = Question(
        action=call["action"],
        resource=call["resource"],
        principal=f"arn:aws:sts::{ACCOUNT}:assumed-role/{call['role']}/session",
        context=call["context"],
    )
    return decide(question, policies) == "Allow"


def is_missed(environment: str, taken: Taken) -> bool:
    """Whether a call that was made would be denied."""
    calls = [call for call in list_calls(environment, taken.role) if match_action(taken.action, call)]
    return bool(calls) and any(not allows(read_policies_without(environment, taken), call) for call in calls)


def match_action(action: str, call: Mapping[str, Any]) -> bool:
    return match_wildcards(action, call["action"], is_case_kept=False)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_records_the_policies_that_the_templates_have(environment: str) -> None:
    names = {made["name"]: stack for stack, made in read_stacks(environment).items()}
    recorded = {
        f"{names[role.partition('/')[0]]}/{role.partition('/')[2]}": sorted(
            action
            for policy in described["policies"]
            for statement in as_list(policy["Statement"])
            for action in as_list(statement["Action"])
        )
        for role, described in read(environment)["roles"].items()
    }

    assert recorded == list_actions(environment), "make table NAME=calls"


def list_actions(environment: str) -> dict[str, list[str]]:
    """The actions of each role of the templates."""
    roles = find_resources(environment, ROLE)
    found: dict[str, list[str]] = {
        role: [
            action
            for policy in resource["Properties"].get("Policies", [])
            for action in list_statement_actions(policy["PolicyDocument"])
        ]
        for role, resource in roles.items()
    }
    for name, policy in find_resources(environment, "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy").items():
        stack = name.partition("/")[0]
        for role in policy["Properties"].get("Roles", []):
            found[f"{stack}/{role['Ref']}"] += list_statement_actions(policy["Properties"]["PolicyDocument"])
    for role, resource in roles.items():
        for arn in resource["Properties"].get("ManagedPolicyArns", []):
            found[role] += list_statement_actions(find_managed(environment, arn))
    return {role: sorted(actions) for role, actions in found.items()}


def list_statement_actions(document: Mapping[str, Any]) -> list[str]:
    return [action for statement in as_list(document["Statement"]) for action in as_list(statement["Action"])]


def find_managed(environment: str, arn: Any) -> Mapping[str, Any]:
    """The document of a managed policy that a role names, of its own stack or of another one."""
    for name, policy in find_resources(environment, "AWS::IAM::ManagedPolicy").items():
        if name.partition("/")[2] in json.dumps(arn):
            document: Mapping[str, Any] = policy["Properties"]["PolicyDocument"]
            return document
    raise AssertionError(f"no template has the policy {arn}")


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_records_no_call_that_the_policies_deny(environment: str) -> None:
    roles = read(environment)["roles"]
    denied = [
        (role, call["action"], call["resource"])
        for role, described in roles.items()
        for call in list_calls(environment, role)
        if not allows(described["policies"], call)
    ]

    assert denied == []


def render_page() -> str:
    """What `docs/permissions.md` says of the recorded runs, which may have been written anew just now."""
    for known in (read, take_away, list_not_missed):
        known.cache_clear()
    scores = []
    for environment in ENVIRONMENTS:
        everything, kept = len(take_away(environment)), len(list_not_missed(environment))
        scores.append(f"{everything - kept} of {everything} in `{environment}` ({1 - kept / everything:.1%})")
    rows = [f"| {role} | {' | '.join(render_role(role))} |" for role in sorted(set(list_role_names()))]
    return "\n".join(
        [
            "# Permissions, taken away one by one",
            "",
            "Each action of each statement of each role is taken away alone, and every call of a whole recorded run is",
            f"decided anew. A call is then denied for {' and '.join(scores)};",
            "why not for the others stands in the last column. `make table NAME=calls` records the runs again and",
            "writes this page; a test of `make test-all` takes ten permissions, drawn by chance, away for real.",
            "",
            "| role | `dev`: missed, of | `prod`: missed, of | not missed |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def name_role(role: str) -> str:
    """A role without what differs between environments."""
    stack, _, name = role.partition("/")
    return f"{stack.rpartition('-')[2]}: {re.sub('[0-9A-F]{8}$', '', name)}"


def list_role_names() -> list[str]:
    return [name_role(role) for environment in ENVIRONMENTS for role in read(environment)["roles"]]


def render_role(role: str) -> list[str]:
    cells, reasons = [], set()
    for environment in ENVIRONMENTS:
        everything = [taken for taken in take_away(environment) if name_role(taken.role) == role]
        kept = [taken for taken in list_not_missed(environment) if name_role(taken.role) == role]
        cells.append(f"{len(everything) - len(kept)}, {len(everything)}")
        reasons |= {f"`{taken.action}`: {explain(taken)}" for taken in kept}
    return [*cells, "; ".join(sorted(reasons))]


def test_shows_what_is_missed_on_a_page_of_today() -> None:
    assert PAGE.read_text(encoding="utf-8") == render_page(), "make table NAME=calls"


def test_misses_every_permission_that_is_taken_away_or_says_why_not() -> None:
    kept = {(environment, taken) for environment in ENVIRONMENTS for taken in list_not_missed(environment)}

    assert [f"{environment} {taken.role}: {taken.action}" for environment, taken in kept if not explain(taken)] == []
    stale = [reason for reason in REASONS if not any(reason.is_of(taken) for _, taken in kept)]
    assert stale == [], "these permissions are used by now"


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_misses_most_permissions(environment: str) -> None:
    assert len(list_not_missed(environment)) / len(take_away(environment)) <= MOST_NOT_MISSED
