"""Whether the account's quotas are as large as what the templates ask for."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Final

from headrace.doctor.account import Account
from headrace.doctor.asking import NotSeen
from headrace.doctor.findings import Check, Finding, Severity, not_seen
from headrace.doctor.needs import Needs
from headrace.doctor.tasks import Use
from headrace.quotas import (
    ACTIVE_ENDPOINTS,
    COMPREHEND_QUOTAS,
    CONCURRENT_EXECUTIONS,
    CONCURRENT_EXECUTIONS_CODE,
    DEFAULT_CONCURRENT_EXECUTIONS,
    LAMBDA,
    SERVERLESS_CONCURRENCY,
    Usage,
    find_service,
)

# What must stay unreserved; accounts whose quota is small are told 10:
# https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html
_KEPT_UNRESERVED: Final = 100
_KEPT_OF_A_SMALL_QUOTA: Final = 10

Judge = Callable[[int], tuple[Severity, str] | None]


def check_quotas(account: Account, needs: Needs) -> Iterator[Finding]:
    """The quotas of SageMaker and Comprehend that are too small for what the state machines ask for."""
    place = str(account.identity)
    if isinstance(account.quotas, NotSeen):
        yield not_seen(Check.QUOTAS, place, account.quotas.reason)
        return
    for name, judge, wanted in _list_wanted(needs):
        quota = account.quotas.get(name)
        if quota is None:
            yield not_seen(Check.QUOTAS, place, f"Service Quotas does not have '{name}'")
        elif problem := judge(int(quota.value)):
            severity, words = problem
            yield Finding(
                check=Check.QUOTAS,
                severity=severity,
                place=place,
                problem=f"'{name}' is {quota.value:g}; {words}",
                cure=request_increase(find_service(name), quota.code, wanted, account.identity.region),
            )


def check_lambda_concurrency(account: Account, needs: Needs) -> Iterator[Finding]:
    """Whether Lambda serves as many requests at once as executions send, and as functions reserve."""
    place, concurrency = str(account.identity), account.concurrency
    reserved = _count_new_reservations(account, needs)
    if isinstance(concurrency, NotSeen):
        if reserved or needs.connections:
            yield not_seen(Check.LAMBDA_CONCURRENCY, place, concurrency.reason)
        return
    kept = _KEPT_UNRESERVED if concurrency.limit > _KEPT_UNRESERVED else _KEPT_OF_A_SMALL_QUOTA
    cure = request_increase(
        LAMBDA, CONCURRENT_EXECUTIONS_CODE, max(DEFAULT_CONCURRENT_EXECUTIONS, reserved + kept), account.identity.region
    )
    found = f"'{CONCURRENT_EXECUTIONS}' of Lambda is {concurrency.limit}"
    if reserved and concurrency.unreserved - reserved < kept:
        yield Finding(
            check=Check.LAMBDA_CONCURRENCY,
            severity=Severity.ERROR,
            place=place,
            problem=f"{found}, {concurrency.unreserved} of it not reserved; functions are to reserve {reserved}, and "
            f"Lambda keeps {kept} unreserved. Or set normalizer.reserved_concurrency to null",
            cure=cure,
        )
    elif needs.connections > concurrency.limit:
        yield Finding(
            check=Check.LAMBDA_CONCURRENCY,
            severity=Severity.WARNING,
            place=place,
            problem=f"{found}; a training job reads normalized images with {needs.connections} connections, and those "
            "beyond the quota are refused and tried again",
            cure=cure,
        )


def request_increase(service: str, code: str, value: int, region: str) -> str:
    """The command that asks AWS for a larger quota."""
    return (
        f"aws service-quotas request-service-quota-increase --service-code {service} --quota-code {code} "
        f"--desired-value {value} --region {region}"
    )


def _list_wanted(needs: Needs) -> Iterator[tuple[str, Judge, int]]:
    """The quotas that count: their names, what judges each, and how large it should be."""
    for name, uses in _group(needs.uses).items():
        yield name, partial(_find_problem, uses), _count_wanted(uses)
    if needs.serverless:
        yield SERVERLESS_CONCURRENCY, partial(_find_serverless_problem, needs.serverless), needs.serverless
    if needs.inference_units:
        for name in COMPREHEND_QUOTAS:
            asked = 1 if name == ACTIVE_ENDPOINTS else needs.inference_units
            yield name, partial(_find_classifying_problem, asked), asked


def _find_classifying_problem(wanted: int, quota: int) -> tuple[Severity, str] | None:
    """Executions at the same time need as much for each of them, which the templates do not say."""
    asked = f"an execution that classifies documents asks for {wanted}"
    less = f". Or set documents.classifier.inference_units to {quota}" if 0 < quota < wanted else ""
    return (Severity.ERROR, f"{asked}{less}") if quota < wanted else None


def _find_serverless_problem(wanted: int, quota: int) -> tuple[Severity, str] | None:
    return (Severity.ERROR, f"the serverless endpoints are made for {wanted}") if quota < wanted else None


def _group(uses: Sequence[Use]) -> dict[str, list[Use]]:
    groups: dict[str, list[Use]] = defaultdict(list)
    for use in uses:
        groups[use.quota].append(use)
    return groups


def _find_problem(uses: Sequence[Use], quota: int) -> tuple[Severity, str] | None:
    """What a quota is too small for.

    Jobs wait for each other; endpoints stand side by side, and have two fleets while they are updated.
    """
    together, largest = sum(use.count for use in uses), max(uses, key=lambda use: use.count)
    if quota < largest.count:
        return Severity.ERROR, f"{largest.place} asks for {largest.count}"
    places = " and ".join(f"{use.place} ({use.count})" for use in uses)
    if largest.usage is Usage.ENDPOINT and quota < together:
        return Severity.ERROR, f"the endpoints of {places} stand side by side"
    if quota < together:
        return Severity.WARNING, f"of {places}, executions at the same time wait for each other"
    if largest.usage is Usage.ENDPOINT and quota < together + largest.count:
        return Severity.WARNING, f"an update of the endpoint of {largest.place} needs {largest.count} more for a while"
    return None


def _count_wanted(uses: Sequence[Use]) -> int:
    together, largest = sum(use.count for use in uses), max(uses, key=lambda use: use.count)
    return together + (largest.count if largest.usage is Usage.ENDPOINT else 0)


def _count_new_reservations(account: Account, needs: Needs) -> int:
    """How many requests at once functions are to reserve that do not stand yet."""
    standing = {} if isinstance(account.stacks, NotSeen) else account.stacks
    made = {name for name, stack in standing.items() if stack.stands}
    names = needs.assembly.stack_names
    return sum(count for stack, count in needs.list_reservations().items() if names[stack] not in made)
