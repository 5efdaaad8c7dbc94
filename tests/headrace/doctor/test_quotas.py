"""Quotas are compared with what the state machines ask for, and a finding has the command that asks for more."""

from dataclasses import replace
from typing import Any

import pytest

from headrace.doctor.account import Concurrency, Quota, Stack
from headrace.doctor.asking import NotSeen
from headrace.doctor.findings import Severity
from headrace.doctor.quotas import check_lambda_concurrency, check_quotas
from headrace.doctor.tasks import Use
from headrace.quotas import (
    ACCOUNT_UNITS,
    ACTIVE_ENDPOINTS,
    COMPREHEND_QUOTAS,
    ENDPOINT_UNITS,
    SERVERLESS_CONCURRENCY,
)
from tests.headrace.doctor.patients import make_account, make_needs, serve, train

TRAINING = "ml.m5.large for training job usage"
ENDPOINT = "ml.m5.large for endpoint usage"
ANOTHER: dict[str, Any] = {"place": "Other: Train"}
ANOTHER_ENDPOINT: dict[str, Any] = {"place": "Other: Serve"}
FUNCTION = {"F": {"Type": "AWS::Lambda::Function", "Properties": {"ReservedConcurrentExecutions": 50}}}


@pytest.mark.parametrize(
    ("name", "value", "uses", "severity", "words", "wanted"),
    [
        (TRAINING, 0, [train()], Severity.ERROR, "Main: Train asks for 1", 1),
        (TRAINING, 1, [train(2)], Severity.ERROR, "Main: Train asks for 2", 2),
        (TRAINING, 1, [train(), train(**ANOTHER)], Severity.WARNING, "wait for each other", 2),
        (ENDPOINT, 1, [serve(2)], Severity.ERROR, "Main: Serve asks for 2", 4),
        (ENDPOINT, 3, [serve(2), serve(2, **ANOTHER_ENDPOINT)], Severity.ERROR, "stand side by side", 6),
        (ENDPOINT, 2, [serve(2)], Severity.WARNING, "an update of the endpoint of Main: Serve needs 2 more", 4),
    ],
)
def test_finds_a_quota_that_is_too_small(
    name: str, value: int, uses: list[Use], severity: Severity, words: str, wanted: int
) -> None:
    account = make_account(quotas={name: Quota("L-ABC", value)})

    (finding,) = check_quotas(account, make_needs({}, *uses))

    assert finding.severity is severity
    assert f"'{name}' is {value}" in finding.problem
    assert words in finding.problem
    assert finding.cure == (
        "aws service-quotas request-service-quota-increase --service-code sagemaker --quota-code L-ABC "
        f"--desired-value {wanted} --region eu-west-1"
    )


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (ENDPOINT_UNITS, 2, "asks for 3. Or set documents.classifier.inference_units to 2"),
        (ACCOUNT_UNITS, 0, "an execution that classifies documents asks for 3"),
        (ACTIVE_ENDPOINTS, 0, "an execution that classifies documents asks for 1"),
    ],
)
def test_finds_a_quota_of_comprehend_that_is_too_small(name: str, value: int, words: str) -> None:
    quotas = {each: Quota("L-ABC", 10) for each in COMPREHEND_QUOTAS} | {name: Quota("L-XYZ", value)}
    needs = replace(make_needs({}), inference_units=3)

    (finding,) = check_quotas(make_account(quotas=quotas), needs)

    assert finding.problem.endswith(words)
    assert "--service-code comprehend --quota-code L-XYZ" in finding.cure
    assert set(needs.list_quotas()) == set(quotas)
    assert list(check_quotas(make_account(quotas=quotas), make_needs({}))) == []


@pytest.mark.parametrize(
    ("name", "value", "uses"),
    [
        (TRAINING, 2, [train(), train(**ANOTHER)]),
        (ENDPOINT, 4, [serve(2)]),
        (ENDPOINT, 6, [serve(2), serve(2, **ANOTHER_ENDPOINT)]),
    ],
)
def test_is_silent_where_the_quota_suffices(name: str, value: int, uses: list[Use]) -> None:
    account = make_account(quotas={name: Quota("L-ABC", value)})

    assert list(check_quotas(account, make_needs({}, *uses))) == []


@pytest.mark.parametrize(
    ("quotas", "reason"),
    [
        (NotSeen("AccessDenied on servicequotas:ListServiceQuotas"), "servicequotas:ListServiceQuotas"),
        ({}, f"does not have '{TRAINING}'"),
    ],
)
def test_says_which_quotas_it_could_not_see(quotas: Any, reason: str) -> None:
    (finding,) = check_quotas(make_account(quotas=quotas), make_needs({}, train()))

    assert finding.severity is Severity.NOT_SEEN
    assert reason in finding.problem


def test_finds_a_reservation_that_lambda_refuses() -> None:
    account = make_account(concurrency=Concurrency(10, 10))

    (finding,) = check_lambda_concurrency(account, make_needs(FUNCTION))

    assert finding.severity is Severity.ERROR
    assert "functions are to reserve 50, and Lambda keeps 10 unreserved" in finding.problem
    assert "--service-code lambda --quota-code L-B99A9384 --desired-value 1000" in finding.cure


@pytest.mark.parametrize(("limit", "is_refused"), [(149, True), (150, False)])
def test_keeps_a_hundred_unreserved_as_lambda_does(limit: int, is_refused: bool) -> None:
    account = make_account(concurrency=Concurrency(limit, limit))

    assert bool(list(check_lambda_concurrency(account, make_needs(FUNCTION)))) is is_refused


def test_does_not_count_what_stands_already_a_second_time() -> None:
    stacks = {"headrace-dev-main": Stack("CREATE_COMPLETE", {})}
    account = make_account(stacks=stacks, concurrency=Concurrency(160, 110))

    assert list(check_lambda_concurrency(account, make_needs(FUNCTION))) == []


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS", "CREATE_FAILED", "DELETE_FAILED"])
def test_counts_what_a_failed_stack_would_reserve_when_it_is_made(status: str) -> None:
    stacks = {"headrace-dev-main": Stack(status, {})}
    account = make_account(stacks=stacks, concurrency=Concurrency(110, 110))

    (finding,) = check_lambda_concurrency(account, make_needs(FUNCTION))

    assert "functions are to reserve 50" in finding.problem


def test_warns_of_more_connections_than_lambda_serves_at_once() -> None:
    account = make_account(concurrency=Concurrency(10, 10))

    (finding,) = check_lambda_concurrency(account, make_needs(connections=32))

    assert finding.severity is Severity.WARNING
    assert "is 10; a training job reads normalized images with 32 connections" in finding.problem


@pytest.mark.parametrize(("value", "count"), [(9, 1), (10, 0)])
def test_adds_up_what_serverless_endpoints_are_made_for(value: int, count: int) -> None:
    account = make_account(quotas={SERVERLESS_CONCURRENCY: Quota("L-96300102", value)})

    found = list(check_quotas(account, replace(make_needs(), serverless=10)))

    assert [finding.severity for finding in found] == [Severity.ERROR] * count
