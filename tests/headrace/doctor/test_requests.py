"""What is asked of an account: the listed requests and no others, and each may be refused or go unanswered."""

import json
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError

from headrace.doctor.account import Account, Concurrency, Identity, Quota, Stack
from headrace.doctor.asking import NotSeen, ask_all
from headrace.doctor.credentials import find_identity, open_clients
from headrace.doctor.findings import Finding, Severity
from headrace.doctor.gathering import read_account
from headrace.doctor.needs import Needs
from headrace.doctor.permissions import ACTIONS
from headrace.doctor.requests import Clients, read_identity
from tests.headrace.doctor.patients import IMAGE, REGION, make_needs, serve, train

KEY = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
UNREACHABLE = EndpointConnectionError(endpoint_url="https://example.com")
IDENTITY = Identity("123456789012", "arn:aws:iam::123456789012:user/ops", REGION)
NEEDS = make_needs(
    {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"PermissionsBoundary": "arn:aws:iam::1:policy/Bound"}},
        "Group": {"Type": "AWS::Logs::LogGroup", "Properties": {"KmsKeyId": KEY}},
        "Any": {"Type": "X", "Properties": {"Subnet": "subnet-0123456789abcdef0"}},
    },
    train(),
    serve(),
    outputs={"RawBucketName": "company-photographs", "TrainingImageUri": IMAGE},
)
OFFER = {"InstanceType": "m5.large", "Location": "eu-west-1a"}
TRAINING = {"QuotaName": train().quota, "QuotaCode": "L-1", "Value": 2.0}
ENDPOINT = {"QuotaName": serve().quota, "QuotaCode": "L-2", "Value": 1.0}
LIMIT = {"ConcurrentExecutions": 1_000, "UnreservedConcurrentExecutions": 900}
ANSWERS: dict[str, dict[str, Any]] = {
    "DescribeAvailabilityZones": {"AvailabilityZones": [{"ZoneName": "eu-west-1a", "ZoneType": "availability-zone"}]},
    "DescribeImages": {"imageDetails": []},
    "DescribeInstanceTypeOfferings": {"InstanceTypeOfferings": [OFFER]},
    "DescribeKey": {"KeyMetadata": {"KeyState": "PendingDeletion"}},
    "DescribeStacks": {
        "Stacks": [
            {"StackName": "headrace-dev-main", "StackStatus": "CREATE_COMPLETE", "CreationTime": datetime.now(UTC)},
            {"StackName": "headrace-prod-main", "StackStatus": "CREATE_COMPLETE", "CreationTime": datetime.now(UTC)},
        ]
    },
    "DescribeSubnets": {"Subnets": [{"AvailabilityZone": "eu-west-1a"}]},
    "GetAccount": {"cloudwatchRoleArn": "arn:aws:iam::123456789012:role/logs"},
    "GetAccountSettings": {"AccountLimit": LIMIT},
    "GetCallerIdentity": {"Account": IDENTITY.number, "Arn": IDENTITY.arn},
    "GetParameter": {"Parameter": {"Value": "30"}},
    "GetPolicy": {"Policy": {}},
    "GetTemplate": {"TemplateBody": json.dumps({"Metadata": {"headrace:Environment": "dev"}})},
    "HeadBucket": {"BucketRegion": "us-east-1"},
    "ListAWSDefaultServiceQuotas": {"Quotas": [TRAINING | {"Value": 99.0}, ENDPOINT]},
    "ListAccessPointsForObjectLambda": {"ObjectLambdaAccessPointList": [{"Name": "it"}]},
    "ListServiceQuotas": {"Quotas": [TRAINING]},
}


class Sent:
    """What AWS sends, as far as boto3 looks at it."""

    def __init__(self, status: int) -> None:
        self.status_code = status


class Aws:
    """Answers every request, and remembers which they were.

    Args:
        refusal: The code of the error that it answers with; nothing for none.
        about: What a request must say to be refused.
    """

    def __init__(self, refusal: str = "", about: str = "") -> None:
        self.asked: set[str] = set()
        self._refusal, self._about = refusal, about

    def answer(self, model: Any, params: Any, **_: Any) -> tuple[Sent, Mapping[str, Any]]:
        self.asked.add(model.name)
        if self._refusal and self._about in str(params["body"]):
            return Sent(403), {"Error": {"Code": self._refusal, "Message": "no"}}
        return Sent(200), ANSWERS[model.name]

    def open(self) -> Clients:
        """Clients that lead here, until another is asked for them."""
        clients = share_clients()
        clients.aws = self
        return clients

    def read(self, needs: Needs = NEEDS) -> Account:
        return read_account(self.open(), IDENTITY, "dev", needs)


class SharedClients(Clients):
    """Clients that are made once for all tests, which takes longer than most of these."""

    aws: Aws

    def __init__(self) -> None:
        session = boto3.Session(aws_access_key_id="A", aws_secret_access_key="b", region_name=REGION)
        session.events.register("before-call", lambda **asked: self.aws.answer(**asked))
        super().__init__(session, REGION)
        self._made: dict[str, Any] = {}

    def open(self, service: str) -> Any:
        if service not in self._made:
            self._made[service] = super().open(service)
        return self._made[service]


@cache
def share_clients() -> SharedClients:
    return SharedClients()


@pytest.fixture(autouse=True)
def no_local_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)


def test_asks_exactly_what_the_list_of_permissions_allows() -> None:
    aws = Aws()

    read_identity(aws.open())
    aws.read()

    assert aws.asked == ACTIONS.keys()


def test_takes_awss_default_where_the_account_has_no_value_of_its_own() -> None:
    assert Aws().read().quotas == {train().quota: Quota("L-1", 2), serve().quota: Quota("L-2", 1)}


def test_reads_the_other_quotas_where_the_region_does_not_have_a_service() -> None:
    needs = replace(NEEDS, inference_units=2)
    aws = Aws("NoSuchResourceException", about='"ServiceCode": "comprehend"')

    assert aws.read(needs).quotas == {train().quota: Quota("L-1", 2), serve().quota: Quota("L-2", 1)}


def test_reads_what_the_account_has() -> None:
    account = Aws().read()

    assert account.stacks == {"headrace-dev-main": Stack("CREATE_COMPLETE", {})}
    assert (account.bootstrap, account.concurrency) == (30, Concurrency(1_000, 900))
    assert (account.zones, account.default_zones) == (frozenset({"eu-west-1a"}), ("eu-west-1a",))
    assert account.offers == {"m5.large": frozenset({"eu-west-1a"})}
    assert account.has_object_lambda is True
    assert account.writes_api_logs is True
    assert list(account.container_images.values()) == [True]
    assert account.existing == {
        "bucket company-photographs": "the bucket is in us-east-1, not in eu-west-1",
        f"key {KEY}": "the key is not enabled, but PendingDeletion",
        "subnet subnet-0123456789abcdef0": "",
        "policy Bound": "",
    }


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("CREATE_FAILED", json.dumps({"Metadata": {"headrace:Environment": "prod"}})),
        ("DELETE_FAILED", "Resources: {}"),
        # A change set that was never executed: the next deployment makes the stack.
        ("REVIEW_IN_PROGRESS", ANSWERS["GetTemplate"]["TemplateBody"]),
    ],
)
def test_does_not_take_for_ours_what_is_only_called_so_or_was_never_made(
    status: str, body: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stack, _) = ANSWERS["DescribeStacks"]["Stacks"]
    monkeypatch.setitem(ANSWERS, "DescribeStacks", {"Stacks": [{**stack, "StackStatus": status}]})
    monkeypatch.setitem(ANSWERS, "GetTemplate", {"TemplateBody": body})

    assert Aws().read().stacks == {}


@pytest.mark.parametrize("code", ["AccessDenied", "AccessDeniedException", "UnauthorizedOperation"])
def test_says_of_everything_which_permission_is_missing(code: str) -> None:
    account = Aws(code).read()

    facts = {
        **vars(account),
        **account.existing,
        **{image.uri: seen for image, seen in account.container_images.items()},
    }
    reasons = [fact.reason for fact in facts.values() if isinstance(fact, NotSeen)]
    assert len(reasons) == len(facts) - len(["identity", "existing", "container_images"])
    for reason in reasons:
        assert reason.removeprefix("AccessDenied on ") in ACTIONS.values()


@pytest.mark.parametrize(
    ("code", "operation", "fact"),
    [
        ("ParameterNotFound", "bootstrap", 0),
        ("404", "bucket company-photographs", "there is no such bucket"),
        ("NotFoundException", f"key {KEY}", "there is no such key"),
        ("InvalidSubnetID.NotFound", "subnet subnet-0123456789abcdef0", "there is no such subnet"),
        ("NoSuchEntity", "policy Bound", "there is no such policy"),
    ],
)
def test_distinguishes_what_is_missing_from_what_it_may_not_see(code: str, operation: str, fact: Any) -> None:
    account = Aws(code).read()

    assert {**vars(account), **account.existing}[operation] == fact


def test_finds_that_ecr_lacks_a_container_image() -> None:
    assert list(Aws("ImageNotFoundException").read().container_images.values()) == [False]


def test_waits_for_no_answer_longer_than_it_was_told() -> None:
    never = threading.Event()

    answers = ask_all({"quick": lambda: 1, "slow": never.wait, "broken": lambda: raise_error(UNREACHABLE)}, 0.05)
    never.set()

    assert answers["slow"] == NotSeen("no answer within 0.05 s")
    assert isinstance(answers["broken"], NotSeen)
    assert "https://example.com" in answers["broken"].reason


@pytest.mark.parametrize(
    ("code", "severity"),
    [("ExpiredToken", Severity.ERROR), ("InvalidClientTokenId", Severity.ERROR), ("Throttling", Severity.NOT_SEEN)],
)
def test_finds_credentials_that_aws_does_not_accept(code: str, severity: Severity) -> None:
    found = find_identity(Aws(code).open())

    assert isinstance(found, Finding)
    assert found.severity is severity


@pytest.mark.parametrize("error", [NoCredentialsError(), UNREACHABLE])
def test_does_not_take_a_missing_account_or_network_for_an_error(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    clients = Aws().open()
    monkeypatch.setattr(clients, "open", lambda _: raise_error(error))

    found = find_identity(clients)

    assert isinstance(found, Finding)
    assert (found.severity, "not looked at" in found.problem) == (Severity.NOT_SEEN, True)


def raise_error(error: Exception) -> None:
    raise error


def test_finds_that_there_is_no_such_profile_or_no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")

    for found, words in ((open_clients("stranger", None), "stranger"), (open_clients(None, None), "no Region")):
        assert isinstance(found, Finding)
        assert (found.severity, words in found.problem) == (Severity.ERROR, True)


def test_says_what_a_service_says_of_any_other_error() -> None:
    account = Aws("ThrottlingException").read()

    assert account.concurrency == NotSeen("GetAccountSettings: ThrottlingException: no")
