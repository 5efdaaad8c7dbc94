"""What viewers, scientists and engineers may do: judged by evaluating their policies, as IAM would."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document

from headrace.contract import BELIEVED_FACTS, VersionFact
from stacks.settings.environment import Settings
from tests.stacks.changed_settings import template_with
from tests.stacks.conftest import list_stacks, template_of

ACCOUNT, REGION = "123456789012", "eu-west-1"
PSEUDO_PARAMETERS = {"AWS::AccountId": ACCOUNT, "AWS::Partition": "aws", "AWS::Region": REGION}
# Each has the policies before it, too.
PERSONAS = ("Viewer", "Scientist", "Engineer")
OURS = {"aws:resourcetag/project": "headrace", "aws:resourcetag/environment": "dev"}
OTHERS = OURS | {"aws:resourcetag/environment": "prod"}
UNTAGGED: dict[str, str] = {}
MFA = {"aws:multifactorauthpresent": "true"}
# Where a version comes from, which neither the gate nor a check for drift asks.
PROVENANCE = {
    *(VersionFact.EXECUTION, VersionFact.JOB, VersionFact.PARENT),
    *(VersionFact.COMMIT, VersionFact.IMAGES, VersionFact.ORIGIN),
}
BELIEVED = sorted(set(VersionFact) - PROVENANCE)
MOST_CHARACTERS = 6144


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


MACHINE = arn("states", "stateMachine:bigmart-machine")
EXECUTION = arn("states", "execution:bigmart-machine:sales-7")
BULK = arn("states", "stateMachine:normalizer-machine")
FOREIGN_EXECUTION = arn("states", "execution:another-machine:sales-7")
RAW, WORK = "arn:aws:s3:::raw", "arn:aws:s3:::work"
FOREST = f"{RAW}/models/bigmart/forest.tar.gz"
LIST = f"{RAW}/images/lists/train/a.lst"
JOB, ENDPOINT = arn("sagemaker", "training-job/sales-7"), arn("sagemaker", "endpoint/shop")
CONFIG, PACKAGE = arn("sagemaker", "endpoint-config/sales-7"), arn("sagemaker", "model-package/shop/1")
REPOSITORY = arn("ecr", "repository/registry")
KEY = arn("kms", "key/1")
CHECKS, CHECK = arn("states", "stateMachine:bigmart-checks"), arn("states", "execution:bigmart-checks:morning")
DASHBOARD = f"arn:aws:cloudwatch::{ACCOUNT}:dashboard/headrace-dev"
PROMOTER = "arn:aws:iam::210987654321:role/headrace-promotion-PromotionRole-1"
DEPLOYER = f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-deploy-role-{ACCOUNT}-{REGION}"
TRAINING_LOG = arn("logs", "log-group:/aws/sagemaker/TrainingJobs:log-stream:sales-7/algo-1")
THROUGH_S3 = {"kms:viaservice": f"s3.{REGION}.amazonaws.com"}
FOR_AWS = {"kms:grantisforawsresource": "true"}
LIVE, EARLIER = ({"states:statemachinequalifier": qualifier} for qualifier in ("live", "7"))


@dataclass(frozen=True)
class Request:
    """A call, and what is known of it and of what it is about."""

    action: str
    resource: str
    context: Mapping[str, str] | None = None

    def __str__(self) -> str:
        known = "+mfa" if self.context and MFA.items() <= self.context.items() else ""
        return f"{self.action} {self.resource.rpartition(':')[2]}{known}"


def resolve(value: Any) -> Any:
    """A policy with the identifiers that another stack's resources could have."""
    if isinstance(value, list):
        return [resolve(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    match value:
        case {"Ref": str(name)}:
            return PSEUDO_PARAMETERS[name]
        case {"Fn::Join": [str(delimiter), list(parts)]}:
            return delimiter.join(map(resolve, parts))
        case _ if len(value) == 1 and next(iter(value)).startswith("Fn::"):
            return identify(json.dumps(value))
        case _:
            return {key: resolve(entry) for key, entry in value.items()}


def identify(reference: str) -> str:
    """What a reference to another stack's output could stand for."""
    (stack,) = set(re.findall(r"headrace-dev-([a-z]+)", reference))
    if "StateMachine" in reference:
        name = f"{stack}-checks" if "DriftChecks" in reference else f"{stack}-machine"
        return name if re.search(r"Name[0-9A-F]{8}\b", reference) else arn("states", f"stateMachine:{name}")
    bucket = re.search(r"GetAtt(Raw|Work)[0-9A-F]{8}Arn", reference)
    return f"arn:aws:s3:::{bucket[1].lower()}" if bucket else {"registry": REPOSITORY, "encryption": KEY}[stack]


# Parts that are off until somebody turns them on.
MORE: Mapping[str, Any] = {
    "alarms": {"dashboard": True},
    "bigmart.endpoint.capture": {},
    "bigmart.endpoint.drift": {},
    "people.promotion_roles": [PROMOTER],
}


@cache
def read_policies(*, separate: bool = False, golden: bool = False, more: bool = False) -> Mapping[str, Any]:
    """The documents of the personas' policies, where there is a key of the customer's; by setting, for more parts."""
    changes: dict[str, Any] = {"encryption.customer_key": True, "people.separate_approval": separate}
    if separate:
        changes |= {"bigmart.approval.mode": "human", "images.approval.mode": "human"}
    if more:
        changes |= MORE
    if golden:
        changes |= {"bigmart.endpoint.golden": {}, "bigmart.endpoint.update.wait_seconds": 300}
    template = template_with("People", "people", changes)
    policies = template.find_resources("AWS::IAM::ManagedPolicy").values()
    return {
        policy["Properties"]["ManagedPolicyName"].rpartition("-")[2].title(): resolve(
            policy["Properties"]["PolicyDocument"]
        )
        for policy in policies
    }


def decide(persona: str, request: Request) -> str:
    """What IAM decides of a request of somebody."""
    return decide_for(persona, PERSONAS[: PERSONAS.index(persona) + 1], request, read_policies())


def decide_for(persona: str, held: Sequence[str], request: Request, documents: Mapping[str, Any]) -> str:
    """What IAM decides of a request of somebody who holds some policies."""
    context = EvalContext(
        principal_arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/{persona}/ada",
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=request.action,
        resource_arn=request.resource,
        region=REGION,
        secure_transport=True,
        service_context=dict(request.context or {}),
    )
    decision: str = evaluate(context, [parse_policy_document(documents[name]) for name in held]).decision
    return decision


# What a persona may do and those before it may not; those after it may as well.
ALLOWED: Mapping[str, tuple[Request, ...]] = {
    "Viewer": (
        Request("states:ListExecutions", MACHINE),
        Request("states:ListExecutions", BULK),
        Request("states:ListStateMachineVersions", MACHINE),
        Request("states:DescribeStateMachineAlias", MACHINE),
        Request("states:DescribeExecution", EXECUTION),
        Request("states:DescribeStateMachineForExecution", EXECUTION),
        Request("states:GetExecutionHistory", EXECUTION),
        Request("sagemaker:DescribeTrainingJob", JOB, OURS),
        Request("sagemaker:DescribeEndpoint", ENDPOINT, OURS),
        Request("sagemaker:ListTrainingJobs", "*"),
        Request("sagemaker:DescribeModelPackage", PACKAGE, OURS),
        Request("sagemaker:ListModelPackages", "*"),
        Request("cloudwatch:GetMetricData", "*"),
        Request("cloudwatch:DescribeAlarms", arn("cloudwatch", "alarm:*")),
        Request("logs:GetLogEvents", TRAINING_LOG),
        Request("cloudformation:DescribeStacks", arn("cloudformation", "stack/headrace-dev-bigmart/1")),
        Request("cloudformation:DescribeStacks", arn("cloudformation", "stack/headrace-dev-registry/1")),
    ),
    "Scientist": (
        Request("states:StartExecution", MACHINE, LIVE),
        Request("states:StartExecution", BULK),
        Request("states:StopExecution", EXECUTION),
        Request("s3:ListBucket", RAW, {"s3:prefix": "images/"}),
        Request("s3:GetObject", f"{RAW}/bigmart/sales.csv"),
        Request("s3:GetObject", f"{WORK}/executions/sales-7/model/model.tar.gz"),
        Request("s3:PutObject", LIST),
        Request("s3:DeleteObject", LIST, MFA),
        Request("kms:Decrypt", KEY, THROUGH_S3),
        Request("sagemaker:InvokeEndpoint", ENDPOINT, OURS),
    ),
    "Engineer": (
        Request("sts:AssumeRole", DEPLOYER, MFA),
        Request("ecr:PutImage", REPOSITORY),
        Request("states:UpdateStateMachineAlias", MACHINE, MFA),
        Request("ecr:DescribeImages", REPOSITORY),
        Request("ecr:GetAuthorizationToken", "*"),
        Request("sagemaker:UpdateModelPackage", PACKAGE, OURS | MFA),
        Request("s3:PutObject", FOREST, {"s3:if-none-match": "*", "s3:objectcreationoperation": "true"}),
        Request("s3:PutObject", FOREST, {"s3:objectcreationoperation": "false"}),
        # What a promotion reads where it begins.
        Request("s3:GetObject", f"{RAW}/models/bigmart/promoted/forest.tar.gz"),
        Request("s3:ListBucket", RAW, {"s3:prefix": "models/bigmart/"}),
        Request("ecr:BatchGetImage", REPOSITORY),
        Request("ecr:GetDownloadUrlForLayer", REPOSITORY),
        Request("sagemaker:DeleteEndpoint", ENDPOINT, OURS | MFA),
        Request("s3:DeleteObject", f"{RAW}/bigmart/sales.csv", MFA),
    ),
}
_FACTS = "sagemaker:customermetadataproperties"
# What would get a version past the gate, or hide of which archive it is made.
JUDGED_OTHERWISE = tuple(
    Request("sagemaker:UpdateModelPackage", PACKAGE, OURS | MFA | written)
    for written in (
        *({f"{_FACTS}/{fact}": "0.1"} for fact in (*BELIEVED, "headrace:served-at:headrace-dev-bigmart")),
        *({f"{_FACTS}/metric:{metric}": "0.1"} for metric in ("validation:rmse", "validation:accuracy")),
        *({f"{_FACTS}toremove": fact} for fact in (*BELIEVED, "headrace:job", "metric:validation:rmse")),
    )
)
# What not even an engineer may do.
DENIED = (
    Request("states:StartExecution", arn("states", "stateMachine:another-machine"), LIVE),
    # Without the alias, or as a version of before, it could judge models by what was asked of them then.
    Request("states:StartExecution", MACHINE),
    Request("states:StartExecution", MACHINE, EARLIER),
    Request("states:UpdateStateMachineAlias", BULK),
    Request("states:DescribeExecution", FOREIGN_EXECUTION),
    Request("states:UpdateStateMachine", MACHINE),
    Request("sagemaker:DescribeTrainingJob", JOB, OTHERS),
    Request("sagemaker:DescribeTrainingJob", JOB, UNTAGGED),
    Request("sagemaker:CreateTrainingJob", JOB, OURS),
    Request("sagemaker:DescribeModelPackage", PACKAGE, OTHERS),
    Request("sagemaker:InvokeEndpoint", ENDPOINT, OTHERS),
    # Executions change what serves, which judge it and compare whose it is.
    Request("sagemaker:UpdateEndpoint", ENDPOINT, OURS | MFA),
    Request("sagemaker:UpdateEndpoint", CONFIG, OURS | MFA),
    Request("sagemaker:UpdateModelPackage", PACKAGE, OTHERS | MFA),
    Request("sagemaker:DeleteEndpoint", ENDPOINT, OTHERS | MFA),
    # A tag that is free again, or may move, could come to mean another container image than the one that was approved.
    Request("ecr:BatchDeleteImage", REPOSITORY, MFA),
    Request("ecr:PutImageTagMutability", REPOSITORY, MFA),
    Request("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/training"),
    Request("iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/mine"),
    Request("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/admin", MFA),
    Request("s3:GetObject", "arn:aws:s3:::another/bigmart/sales.csv"),
    Request("s3:GetObject", f"{RAW}/elsewhere/sales.csv"),
    Request("s3:PutObject", f"{RAW}/bigmart/sales.csv"),
    Request("s3:PutObject", FOREST, {"s3:objectcreationoperation": "true"}),
    *JUDGED_OTHERWISE,
    Request("s3:PutObject", f"{WORK}/executions/sales-7/model/model.tar.gz"),
    Request("s3:PutBucketPolicy", RAW),
    Request("s3:DeleteBucket", RAW, MFA),
    Request("s3:DeleteObjectVersion", LIST, MFA),
    Request("kms:Decrypt", KEY),
    Request("kms:CreateGrant", KEY, FOR_AWS),
    Request("kms:ScheduleKeyDeletion", KEY, MFA),
    Request("logs:GetLogEvents", arn("logs", "log-group:/aws/lambda/others:log-stream:1")),
    Request("cloudformation:DescribeStackEvents", arn("cloudformation", "stack/headrace-prod-bigmart/1")),
    Request("cloudformation:DeleteStack", arn("cloudformation", "stack/headrace-dev-bigmart/1"), MFA),
)
WITH_MFA = [
    request for requests in ALLOWED.values() for request in requests if request.context and "+mfa" in str(request)
]


@pytest.mark.parametrize(
    ("persona", "request_"), [(persona, request) for persona in PERSONAS for request in ALLOWED[persona]], ids=str
)
def test_allows_from_which_persona_on(persona: str, request_: Request) -> None:
    decisions = {other: decide(other, request_) for other in PERSONAS}

    first = PERSONAS.index(persona)
    assert [decisions[other] for other in PERSONAS] == ["ImplicitDeny"] * first + ["Allow"] * (len(PERSONAS) - first)


@pytest.mark.parametrize("request_", DENIED, ids=str)
def test_allows_to_nobody(request_: Request) -> None:
    assert [decide(persona, request_) for persona in PERSONAS] == ["ImplicitDeny"] * len(PERSONAS)


@pytest.mark.parametrize("request_", WITH_MFA, ids=str)
def test_demands_mfa_for_what_deletes_deploys_or_approves(request_: Request) -> None:
    without = {key: value for key, value in (request_.context or {}).items() if key not in MFA}

    assert decide("Engineer", Request(request_.action, request_.resource, without)) == "ImplicitDeny"


def test_lets_no_engineer_write_where_promotions_put_their_copies() -> None:
    promoted = f"{RAW}/models/bigmart/promoted/dev-7-0a1b2c3d4e5f/model.tar.gz"
    creating = {"s3:if-none-match": "*", "s3:objectcreationoperation": "true"}

    assert decide("Engineer", Request("s3:PutObject", promoted, creating)) == "Deny"


def test_demands_no_mfa_of_sessions_that_do_not_say_so() -> None:
    template = template_with("People", "people", {"people.mfa": False})

    assert "MultiFactorAuthPresent" in json.dumps(dict(read_policies()))
    assert "MultiFactorAuthPresent" not in json.dumps(template.to_json())


@pytest.mark.parametrize(("action", "first"), [("s3:GetObject", "Scientist"), ("s3:PutObject", "Engineer")], ids=str)
def test_lets_people_check_and_put_golden_requests_where_some_are_asked(action: str, first: str) -> None:
    request = Request(action, f"{RAW}/golden/bigmart/requests.jsonl")
    held = [PERSONAS[: index + 1] for index in range(len(PERSONAS))]

    with_golden = [decide_for(each[-1], each, request, read_policies(golden=True)) for each in held]
    without = [decide_for(each[-1], each, request, read_policies()) for each in held]

    assert with_golden == ["Allow" if first in each else "ImplicitDeny" for each in held]
    assert without == ["ImplicitDeny"] * len(PERSONAS)


# What belongs to parts that are off by default, by the first persona that may do it.
ALLOWED_OF_MORE: Mapping[str, tuple[Request, ...]] = {
    "Viewer": (
        Request("cloudwatch:GetDashboard", DASHBOARD),
        Request("cloudwatch:ListDashboards", "*"),
        Request("states:ListExecutions", CHECKS),
        Request("states:DescribeExecution", CHECK),
    ),
    "Scientist": (
        Request("s3:ListBucket", WORK, {"s3:prefix": "drift/bigmart/"}),
        Request("s3:GetObject", f"{WORK}/drift/bigmart/morning/report.html"),
        Request("states:StartExecution", CHECKS),
        Request("states:StopExecution", CHECK),
    ),
    "Engineer": (Request("sts:AssumeRole", PROMOTER, MFA),),
}
DENIED_OF_MORE = (
    Request("cloudwatch:GetDashboard", DASHBOARD.replace("-dev", "-prod")),
    Request("cloudwatch:PutDashboard", DASHBOARD),
    Request("cloudwatch:DeleteDashboards", DASHBOARD),
    # What people have asked is not for everybody who may read what came of it.
    Request("s3:GetObject", f"{WORK}/captured/bigmart/headrace-dev-bigmart/AllTraffic/2026/11/30/10/a.jsonl"),
    Request("s3:PutObject", f"{WORK}/drift/bigmart/morning/report.html"),
    Request("s3:GetObject", f"{WORK}/drift/images/morning/report.html"),
    Request("states:UpdateStateMachineAlias", CHECKS),
    Request("sts:AssumeRole", PROMOTER),
    Request("sts:AssumeRole", f"{PROMOTER}23", MFA),
    Request("sagemaker:CreateModelPackage", PACKAGE, OURS | MFA),
)


@pytest.mark.parametrize(
    ("persona", "request_"),
    [(persona, request) for persona in PERSONAS for request in ALLOWED_OF_MORE[persona]],
    ids=str,
)
def test_allows_what_belongs_to_parts_that_are_on(persona: str, request_: Request) -> None:
    held = [PERSONAS[: index + 1] for index in range(len(PERSONAS))]
    first = PERSONAS.index(persona)

    with_more = [decide_for(each[-1], each, request_, read_policies(more=True)) for each in held]
    without = {decide_for(each[-1], each, request_, read_policies()) for each in held}

    assert with_more == ["ImplicitDeny"] * first + ["Allow"] * (len(PERSONAS) - first)
    assert without == {"ImplicitDeny"}


@pytest.mark.parametrize("request_", DENIED_OF_MORE, ids=str)
def test_allows_to_nobody_whatever_is_on(request_: Request) -> None:
    assert decide_for("Engineer", PERSONAS, request_, read_policies(more=True)) == "ImplicitDeny"


def test_lets_no_approver_start_checks_that_may_start_a_training() -> None:
    policies = read_policies(separate=True, more=True)

    assert decide_for("Approver", APPROVER, Request("states:StartExecution", CHECKS), policies) == "Deny"


APPROVER = ("Viewer", "Approver")
STARTING = Request("states:StartExecution", MACHINE, LIVE)
APPROVING = Request("sagemaker:UpdateModelPackage", PACKAGE, OURS | MFA)


@pytest.mark.parametrize(
    ("held", "starts", "approves"),
    [
        (APPROVER, "Deny", "Allow"),
        (PERSONAS[:2], "Allow", "Deny"),
        (PERSONAS, "Allow", "Deny"),
        ((*PERSONAS, "Approver"), "Deny", "Deny"),
    ],
)
def test_lets_no_one_approve_who_starts_where_that_is_separate(
    held: tuple[str, ...], starts: str, approves: str
) -> None:
    policies = read_policies(separate=True)

    assert decide_for(held[-1], held, STARTING, policies) == starts
    assert decide_for(held[-1], held, APPROVING, policies) == approves


def test_lets_an_approver_approve_with_mfa_what_is_of_the_environment_only() -> None:
    policies = read_policies(separate=True)

    for context in (OURS, OTHERS | MFA, MFA):
        request = Request(APPROVING.action, PACKAGE, context)
        assert decide_for("Approver", APPROVER, request, policies) == "ImplicitDeny"


@pytest.mark.parametrize("request_", JUDGED_OTHERWISE, ids=lambda request: str(request.context))
def test_lets_no_approver_write_what_the_gate_believes(request_: Request) -> None:
    assert decide_for("Approver", APPROVER, request_, read_policies(separate=True)) == "ImplicitDeny"


def test_has_one_list_of_what_is_believed_of_a_version() -> None:
    """What else is noted says where it comes from; a new fact must be in either list."""
    assert sorted(BELIEVED_FACTS) == BELIEVED


def test_gives_no_access_to_a_key_where_there_is_none() -> None:
    assert "kms:" not in json.dumps(template_of("People", "people").to_json())


def test_names_the_policies_after_the_environment() -> None:
    """Permission sets of Identity Center find them by name, in each account."""
    names = [p["Properties"]["ManagedPolicyName"] for p in find_policies()]

    assert sorted(names) == ["headrace-dev-engineer", "headrace-dev-scientist", "headrace-dev-viewer"]


def find_policies() -> list[dict[str, Any]]:
    return [dict(found) for found in template_of("People", "people").find_resources("AWS::IAM::ManagedPolicy").values()]


def test_fits_into_managed_policies_with_names_of_any_length() -> None:
    """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html."""
    for name, policy in read_policies(golden=True, more=True).items():
        text = json.dumps(policy, separators=(",", ":"))
        longer = 60 * len(re.findall(r"-machine|:::raw|:::work|repository/registry", text))

        assert len(text) + longer <= MOST_CHARACTERS, name


def test_makes_no_policies_unless_the_settings_say_so(environment: str) -> None:
    assert "People" not in list_stacks(environment)


def test_tells_the_environments_resources_from_others_where_the_settings_have_no_tags() -> None:
    environments = {"dev": {"retain_data": False, "tags": {}, "people": {"enabled": True}}}

    assert Settings.from_mapping("dev", environments).tags == {"environment": "dev"}
