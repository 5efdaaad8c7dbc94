"""An evaluator of another author decides as the local cloud does, of every recorded call and of thousands of others.

`@cloud-copilot/iam-simulate` (AGPL) has its own package in `tests/oracles/iam`, runs in its own process, and is
installed by `make test-all` alone.
"""

import json
import os
import random
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pytest

from headrace.policies import as_list
from tests.evaluators import ACCOUNT, Document, Question, decide
from tests.examples import only_exhaustive
from tests.recordings import read_recording
from tests.tables import PROJECT

ORACLE = PROJECT / "tests" / "oracles" / "iam"
SEED = "HEADRACE_SEED"
RANDOM_QUESTIONS = 10_000
ENVIRONMENTS = ("dev", "prod")
OF_EVERY_REQUEST = {"aws:PrincipalAccount": ACCOUNT, "aws:SourceIp": "127.0.0.1"}
DECISIONS = {"Allowed": "Allow", "ImplicitlyDenied": "ImplicitDeny", "ExplicitlyDenied": "Deny"}
TO_ACCOUNT: Document = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
            "Action": "kms:*",
            "Resource": "*",
        }
    ],
}
# Where the other evaluator is wrong or says nothing, and what AWS's pages say.
EXCEPTIONS = (
    "s3:DataAccessPointArn: it leaves out this key of requests on buckets, by which a role's policy lets requests "
    "through an access point: https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-policies.html",
    "interfaces on *: SageMaker's check of a processing job is not a request; the other evaluator takes * for any "
    "resource that a policy names: https://docs.aws.amazon.com/sagemaker/latest/dg/sagemaker-roles.html",
    "NotAction where an action knows no resources: it lets the ARNs of other services stand for *: "
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html",
    "variables in documents of the version 2008-10-17: it writes them out; they are plain text: "
    "https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_version.html",
    "a negated condition, or NotResource, whose variable has no value: AWS's pages do not say; here, it denies and "
    "does not allow: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html",
)

pytestmark = [
    only_exhaustive("an independent oracle"),
    pytest.mark.skipif(not (ORACLE / "node_modules").is_dir(), reason="`make test-all` could not install the oracle"),
    pytest.mark.slow,
]


Asked = tuple[Question, tuple[Document, ...], tuple[Document, ...]]


def list_recorded() -> Iterator[Asked]:
    """Every call that a role made, with the policies of the role."""
    for environment in ENVIRONMENTS:
        recording = read_recording(environment)
        policies = {made["name"]: tuple(made["policies"]) for made in recording["roles"].values()}
        for call in recording["calls"]:
            if call["role"] in policies:
                yield describe_call(call), policies[call["role"]], ()


def describe_call(call: Mapping[str, Any]) -> Question:
    return Question(
        action=call["action"],
        resource=call["resource"],
        principal=f"arn:aws:sts::{ACCOUNT}:assumed-role/{call['role']}/session",
        context=call["context"],
    )


def is_exception(question: Question) -> bool:
    is_through_point = "s3:DataAccessPointArn" in question.context
    return is_through_point or (question.action.startswith("ec2:") and question.resource == "*")


def ask_oracle(asked: Iterable[Asked]) -> list[dict[str, Any]]:
    """What the other evaluator says of questions."""
    node = shutil.which("node")
    assert node
    lines = "\n".join(json.dumps(write_question(*entry)) for entry in asked)
    run = subprocess.run(
        [node, "simulate.mjs"], cwd=ORACLE, input=lines, text=True, capture_output=True, check=True, timeout=1_200
    )
    return [json.loads(line) for line in run.stdout.splitlines()]


def write_question(question: Question, policies: Iterable[Document], limits: Iterable[Document]) -> dict[str, Any]:
    """A question in the other evaluator's words."""
    resource = {"resource": question.resource, "accountId": ACCOUNT}
    of_service = {"s3:ResourceAccount": ACCOUNT} if question.action.startswith("s3:") else {}
    written: dict[str, Any] = {
        "request": {
            "principal": question.principal,
            "action": question.action,
            "resource": resource,
            "contextVariables": {**OF_EVERY_REQUEST, **of_service, **question.context, **question.of_principal},
        },
        "identityPolicies": name_policies(policies),
        "serviceControlPolicies": [],
        "resourceControlPolicies": [],
    }
    if question.action.startswith("kms:"):
        written["resourcePolicy"] = TO_ACCOUNT
    return {**written, "permissionBoundaryPolicies": name_policies(limits)} if limits else written


def name_policies(policies: Iterable[Document]) -> list[dict[str, Any]]:
    return [{"name": str(number), "policy": policy} for number, policy in enumerate(policies)]


def decide_here(question: Question, policies: tuple[Document, ...], limits: tuple[Document, ...]) -> str:
    is_key = question.action.startswith("kms:")
    layers = [limits] if limits else []
    return decide(question, policies, *layers, resource=TO_ACCOUNT if is_key else None, is_required=is_key)


def compare(asked: list[Asked]) -> list[str]:
    """Questions that are decided differently."""
    answers = ask_oracle(asked)
    assert len(answers) == len(asked)
    return [
        f"{question}: {here} here, {answer} there; {json.dumps([policies, limits])}"
        for (question, policies, limits), answer in zip(asked, answers, strict=True)
        if (here := decide_here(question, policies, limits)) != DECISIONS.get(answer["decision"])
    ]


def test_decides_each_recorded_call_as_another_evaluator_does() -> None:
    recorded = [asked for asked in list_recorded() if not is_exception(asked[0])]

    assert len(recorded) > 400
    assert compare(recorded) == []


def test_compares_almost_all_recorded_calls() -> None:
    excepted = [question for question, _, _ in list_recorded() if is_exception(question)]

    assert {question.action.partition(":")[0] for question in excepted} == {"s3", "ec2"}
    assert len(excepted) < 0.2 * len(list(list_recorded()))


class Dice:
    """Makes questions about the project's own policies, changed at random.

    Args:
        seed: The same one makes the same questions.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311
        self._recorded = [asked for asked in list_recorded() if not is_exception(asked[0])]

    def roll(self) -> Asked:
        """A question, with policies that may allow it, and sometimes a boundary."""
        question, policies, _ = self._random.choice(self._recorded)
        question = self._change_question(question)
        held = tuple(self._change_document(policy, question) for policy in policies)
        others = self._random.choice(self._recorded)[1]
        limits = tuple(self._change_document(policy, question) for policy in others + policies)
        return question, held, limits if self._chance(0.2) else ()

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _change_question(self, question: Question) -> Question:
        other = self._random.choice(self._recorded)[0]
        similar = self._random.choice(
            [recorded for recorded, _, _ in self._recorded if recorded.action == question.action]
        )
        context = dict(similar.context if self._chance(0.3) else question.context)
        for key in list(context):
            if self._chance(0.2):
                del context[key]
        principal = other.principal if self._chance(0.1) else question.principal
        resource = similar.resource if self._chance(0.5) else question.resource
        of_principal = {"aws:PrincipalTag/team": self._random.choice(["blue", "red", "a*"])}
        return Question(
            action=question.action,
            resource=resource,
            principal=principal,
            context=context,
            of_principal=of_principal if self._chance(0.5) else {},
        )

    def _change_document(self, document: Document, question: Question) -> Document:
        statements = [
            self._change_statement(statement, question)
            for statement in as_list(document["Statement"])
            if self._chance(0.9)
        ]
        if self._chance(0.3):
            statements.append(self._deny(question))
        statements = statements or [self._deny(question)]
        is_old = "${" not in str(statements) and self._chance(0.1)
        return {"Version": "2008-10-17" if is_old else "2012-10-17", "Statement": statements}

    def _change_statement(self, statement: Mapping[str, Any], question: Question) -> dict[str, Any]:
        changed: dict[str, Any] = {**statement, "Action": as_list(statement["Action"])}
        changed["Resource"] = [self._change_pattern(resource) for resource in as_list(statement["Resource"])]
        if self._chance(0.15):
            changed["Action"] = [self._blur(action) for action in changed["Action"]]
        if question.resource != "*" and self._chance(0.05):
            changed["NotAction"] = changed.pop("Action")
        if self._chance(0.05):
            changed.pop("Resource")
            changed["NotResource"] = statement["Resource"]
        if self._chance(0.25):
            changed["Condition"] = self._make_condition(question)
        elif self._chance(0.2):
            changed.pop("Condition", None)
        return changed

    def _deny(self, question: Question) -> dict[str, Any]:
        return {
            "Effect": "Deny",
            "Action": self._blur(question.action),
            "Resource": self._change_pattern(question.resource),
            "Condition": self._make_condition(question),
        }

    def _blur(self, action: str) -> str:
        service, _, name = action.partition(":")
        cut = self._random.randint(1, len(name))
        return self._random.choice([action, f"{service}:{name[:cut]}*", f"{service}:{name.lower()}", f"{service}:*"])

    def _change_pattern(self, resource: str) -> str:
        head, colon, last = resource.rpartition(":")
        if resource == "*" or self._chance(0.7):
            return resource
        cut = self._random.randint(0, len(last))
        team = "${aws:PrincipalTag/team, 'blue'}" if self._chance(0.3) else "${aws:PrincipalTag/team}"
        tails = [f"{last[:cut]}*", last[:-1] + "?", last[:cut] + team, last.upper(), "*"]
        return head + colon + self._random.choice(tails)

    def _make_condition(self, question: Question) -> dict[str, Any]:
        known = {**question.context, **question.of_principal, "aws:PrincipalAccount": ACCOUNT}
        key = self._random.choice([*known, "aws:PrincipalTag/team", "aws:SourceIp"])
        value = known.get(key)
        if key == "aws:SourceIp":
            operator = self._random.choice(["IpAddress", "NotIpAddress", "IpAddressIfExists"])
            return {operator: {key: ["10.0.0.0/8", "192.0.2.1"]}}
        if isinstance(value, list):
            operator = self._random.choice(["ForAnyValue:StringEquals", "ForAllValues:StringLike", "Null"])
            return {operator: {key: "true" if operator == "Null" else [*value[:1], "another*"]}}
        operators = ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"]
        operator = self._random.choice([*operators, *(f"{name}IfExists" for name in operators), "Null"])
        values = [str(value), f"{str(value)[:3]}*", "another"]
        expected = self._random.choice(values if "Not" in operator else [*values, "${aws:PrincipalTag/team}"])
        return {operator: {key: self._random.choice(["true", "false"]) if operator == "Null" else [expected]}}


def test_decides_random_questions_as_another_evaluator_does(record_property: Callable[[str, int], None]) -> None:
    seed = int(os.environ.get(SEED, "0")) or random.SystemRandom().randrange(1, 1 << 31)
    record_property(SEED, seed)
    dice = Dice(seed)
    asked = [dice.roll() for _ in range(RANDOM_QUESTIONS)]

    different = compare(asked)

    decisions = {decide_here(*entry) for entry in asked[:1_000]}
    assert decisions == {"Allow", "ImplicitDeny", "Deny"}
    assert different == [], f"{SEED}={seed}: {len(different)} of {len(asked)}"
