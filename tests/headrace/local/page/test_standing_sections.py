"""What the page shows of what stands, what was used and who has called."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from headrace.inventory import Item, Maker, price_all, usual_prices
from headrace.local.bill import Bill, BillLine
from headrace.local.calls import Call, CallCount
from headrace.local.page.answers import PageError
from headrace.local.page.rendering import View
from headrace.local.page.requests import Request
from headrace.local.page.sections.bill import show_bill
from headrace.local.page.sections.calls import Calls, count_by_role
from headrace.local.page.sections.inventory import Inventory, group_rows, list_environments, show_inventory
from headrace.local.page.sessions import Session
from tests.headrace.local.page.conftest import HOSTILE, Elements, Services, check_is_harmless, render

NOW = datetime(2026, 11, 29, tzinfo=UTC)
BUCKET = Item(kind="AWS::S3::Bucket", name=HOSTILE, maker=Maker.STACK, stack="headrace-dev-storage")
KEY = Item(kind="AWS::KMS::Key", name="k-1", maker=Maker.STACK, stack="headrace-dev-storage")
ROLE = Item(kind="AWS::IAM::Role", name="r-1", maker=Maker.STACK, stack="headrace-dev-storage")
VARIANT = {"VariantName": "all", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
ENDPOINT = Item(
    kind="AWS::SageMaker::Endpoint", name=HOSTILE, maker=Maker.RUN, properties={"ProductionVariants": [VARIANT]}
)
JOB = Item(
    kind="AWS::SageMaker::TrainingJob",
    name="trains",
    maker=Maker.RUN,
    properties={"InstanceType": "ml.m5.xlarge", "InstanceCount": 1},
)
FOREIGN = Item(kind="Custom::Thing", name="t-1", maker=Maker.STACK, stack="headrace-dev-storage")


def say(view: View) -> str:
    return check_is_harmless(render(view, "inventory")).said


def show_items(*items: Item) -> View:
    return show_inventory(["dev"], "dev", group_rows(price_all(items, usual_prices())), usual_prices())


def test_shows_things_by_stack_with_price_switch_content_and_watch() -> None:
    said = say(show_items(ROLE, BUCKET, KEY, ENDPOINT))

    assert "headrace-dev-storage 1.00 US dollars a month" in said
    assert "k-1 key 1.00 encryption.customer_key the only way to read what it encrypted" in said
    assert "bucket 0.00 storage.existing_raw_bucket, storage.existing_work_bucket objects access logs" in said
    assert "1 that cost nothing and hold nothing" in said
    assert "onerror=alert(1)" in said


def test_shows_what_no_stack_has_made_first_and_leads_to_it() -> None:
    view = show_items(BUCKET, ENDPOINT)
    groups = view.values["groups"]

    assert [group.stack for group in groups] == ["", "headrace-dev-storage"]
    assert groups[0].monthly == pytest.approx(730 * usual_prices().each("instance:ml.m5.large"))
    assert groups[0].rows[0].place == ("endpoints", HOSTILE)
    assert "Made by executions, jobs and people" in say(view)


def test_counts_no_job_that_runs_in_what_stands_while_nothing_runs() -> None:
    hourly = usual_prices().each("instance:ml.m5.xlarge")
    view = show_items(KEY, JOB)

    assert view.values["monthly"] == 1
    assert [group.monthly for group in view.values["groups"]] == [0, 1]
    assert f"trains training job {730 * hourly:.2f} while it runs" in say(view)


def test_counts_everything_once_and_not_again_and_again() -> None:
    assert show_items(BUCKET).refresh_seconds is None


def test_says_what_is_not_in_the_sums() -> None:
    said = say(show_items(FOREIGN))

    assert "Not in the sums: the type Custom::Thing is not priced" in said
    assert "t-1 Custom::Thing ?" in said


def test_offers_the_environments_and_says_where_there_is_none() -> None:
    chosen = show_inventory(["dev", "prod"], "prod", [], usual_prices())

    assert [attributes for tag, attributes in Elements(render(chosen)).found if tag == "option"] == [
        {},
        {"selected": None},
    ]
    assert "Nothing stands of this environment." in say(chosen)
    assert "No environment is deployed." in say(show_inventory([], "", [], usual_prices()))


def describe_stacks(*names: str) -> Services:
    return Services({"describe_stacks": {"Stacks": [{"StackName": name} for name in names]}})


def test_finds_environments_by_the_names_of_stacks() -> None:
    names = ("headrace-prod-storage", "headrace-dev-bigmart", "headrace-dev-storage", "headrace-account", "CDKToolkit")

    assert list_environments(describe_stacks(*names)) == ["dev", "prod"]


def test_refuses_an_environment_that_is_not_deployed() -> None:
    section = Inventory(describe_stacks("headrace-dev-storage"))

    with pytest.raises(PageError, match="the environment 'stage' is not deployed"):
        section.answer(Request(session=Session(), segments=("inventory",), query={"environment": "stage"}))


def test_shows_the_dearest_lines_of_a_bill_and_sums_up_the_others() -> None:
    lines = (
        BillLine("endpoint sales", "instance:ml.m5.large", 2, "hour", 0.23),
        BillLine(HOSTILE, "instance:ml.unknown", 1, "", None),
        BillLine("bucket work", "s3-get", 10, "request", 0.000004),
        BillLine("bucket raw", "s3-get", 10, "request", 0.000004),
    )

    said = say(show_bill(Bill(NOW, NOW + timedelta(days=30), lines), usual_prices()))

    assert "US dollars 0.23 Since 2026-11-29 00:00:00 UTC" in said
    assert "endpoint sales 2 hour 0.23" in said
    assert "1 no price is known: instance:ml.unknown ?" in said
    assert "2 lines below 0.005 US dollars, <0.01 in all" in said
    assert "bucket work 10 request" in said


def test_says_that_nothing_was_used() -> None:
    assert "Nothing has been used." in say(show_bill(Bill(NOW, NOW, ()), usual_prices()))


def count(
    role: str, action: str, resource: str = "*", *, times: int = 1, day: int = 0, denied: bool = False
) -> CallCount:
    principal = f"arn:aws:iam::000000000000:role/{role}"
    call = Call(principal=principal, action=action, resource=resource, is_allowed=not denied)
    return CallCount(call=call, count=times, last=NOW + timedelta(days=day))


COUNTS = [
    count("trains", "s3:GetObject", "a", times=3, day=1),
    count("trains", "s3:GetObject", "b", times=2, day=4),
    count("trains", "logs:PutLogEvents"),
    count("serves", "s3:GetObject", HOSTILE, times=7, day=2, denied=True),
    count("serves", "s3:PutObject", "c", day=3, denied=True),
    count("waits", "sqs:ReceiveMessage", day=2),
]


def show_calls(path: str, counts: Sequence[CallCount] | None = COUNTS, unused: Any = ()) -> View:
    def list_unused(*_: Any) -> Any:
        if isinstance(unused, Exception):
            raise unused
        return unused

    services = Services({"list_roles": {"Roles": [{"RoleName": name} for name in ("trains", "idle")]}})
    section = Calls(services, None if counts is None else lambda: counts, list_unused)
    return section.answer(Request(session=Session(), segments=("calls", *filter(None, path.split("/")))))


def test_lists_roles_that_were_denied_something_first_and_then_the_latest() -> None:
    assert [each.role for each in count_by_role(COUNTS)] == ["serves", "trains", "waits"]

    said = say(show_calls(""))
    assert "serves 8 0 s3 2026-12-02" in said
    assert "trains 0 6 logs, s3 2026-12-03" in said
    assert said.endswith("Roles that have called nothing idle")


def test_leaves_users_out() -> None:
    user = Call(principal="arn:aws:iam::000000000000:user/ana", action="a:B", resource="*", is_allowed=True)

    assert count_by_role([CallCount(call=user, count=1, last=NOW)]) == []


def test_shows_what_a_role_was_denied_has_used_and_may_do_besides() -> None:
    said = say(show_calls("trains", unused=[("s3:DeleteObject", HOSTILE)]))
    denied = say(show_calls("serves"))

    assert "No call of this role was denied." in said
    assert "s3:GetObject 2 5 2026-12-03" in said
    assert "Allowed, and not used so far Action On s3:DeleteObject" in said
    assert denied.index("s3:PutObject c 1") < denied.index("s3:GetObject")
    assert "This role has called nothing that it may call." in denied
    assert "Every action that its policies allow was used." in denied


def test_says_that_there_were_more_calls_than_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "calls are kept" not in say(show_calls("")) + say(show_calls("trains"))

    monkeypatch.setattr("headrace.local.calls.MOST_CALLS", len(COUNTS))

    assert "Only 6 different calls are kept." in say(show_calls(""))
    assert "Only 6 different calls are kept." in say(show_calls("trains"))


def test_says_where_calls_are_not_decided_or_a_role_is_gone() -> None:
    gone = ClientError({"Error": {"Code": "NoSuchEntity", "Message": ""}}, "ListRolePolicies")

    assert "started with --no-iam" in say(show_calls("", None))
    assert "No role has called anything." in say(show_calls("", []))
    assert "The role is gone" in say(show_calls("trains", unused=gone))
    with pytest.raises(PageError, match="started with --no-iam"):
        show_calls("trains", None)
    with pytest.raises(PageError, match="there is no role 'other'"):
        show_calls("other", unused=gone)
