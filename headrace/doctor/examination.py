"""Everything that is looked at before a deployment, side by side and with time limits."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from headrace.assemblies import Assembly, AssemblyError, read_folder
from headrace.checkout import CHECKOUT
from headrace.doctor.account import Account, Identity
from headrace.doctor.app import (
    Settings,
    Synthesis,
    check_settings,
    diagnose,
    read_settings,
    synthesize,
    take_assembly,
    validate,
)
from headrace.doctor.asking import NotSeen, ask_all
from headrace.doctor.container_images import check_container_images, needs_engine
from headrace.doctor.credentials import find_identity, open_clients
from headrace.doctor.deployment import (
    check_api_logs,
    check_bootstrap,
    check_existing,
    check_object_lambda,
    check_stacks,
)
from headrace.doctor.findings import Check, Finding, Severity, not_seen
from headrace.doctor.gathering import read_account
from headrace.doctor.machine import check_engine, check_sagemaker_sdk, check_toolchain, read_engine, read_toolchain
from headrace.doctor.needs import Needs
from headrace.doctor.quotas import check_lambda_concurrency, check_quotas
from headrace.doctor.regions import check_instance_types, check_region, check_zones
from headrace.doctor.requests import Clients, is_local

_SECONDS: Final = 30.0


@dataclass(frozen=True)
class Report:
    """What an examination has found.

    Args:
        place: The account and the Region; empty where none was looked at.
        findings: What is wrong, or could not be looked at; the worst first.
    """

    place: str
    findings: tuple[Finding, ...]

    @property
    def has_errors(self) -> bool:
        """Whether a deployment, or an execution after it, would fail."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is to be examined.

    Args:
        environment: The environment of cdk.json.
        assembly: What `cdk synth` wrote; None to synthesize the app.
        profile: The AWS profile; None for what the environment's variables say.
        region: The Region; None for that of the settings, or else of the AWS clients.
    """

    environment: str
    assembly: Path | None = None
    profile: str | None = None
    region: str | None = None


def examine(subject: Subject) -> Report:
    """Look at this machine, the settings and the account; nothing is changed anywhere."""
    has_checkout = (CHECKOUT / "cdk.json").is_file()
    settings = read_settings(subject.environment) if has_checkout and not subject.assembly else Settings()
    clients = open_clients(subject.profile, subject.region or _find_region(subject, settings))
    with _open_app(subject, settings) as app:
        seen = ask_all(_list_first_questions(subject, clients, has_checkout=has_checkout), _SECONDS)
        needs = Needs(Assembly({}, {})) if settings.mistake else app.read()
        identity = _read_identity(clients, seen)
        known = needs if isinstance(needs, Needs) else Needs(Assembly({}, {}))
        account = None
        if isinstance(clients, Clients) and isinstance(identity, Identity):
            account = read_account(clients, identity, subject.environment, known)
        findings = [
            *check_settings(settings, subject.environment),
            *([needs] if isinstance(needs, Finding) else []),
            *_check_machine(seen, needs_engine=False if is_local() else needs_engine(account, known)),
            *([identity] if isinstance(identity, Finding) else []),
            *(_check_account(account, known, app, subject) if account else _check_place(clients, known)),
        ]
    order = list(Severity)
    findings.sort(key=lambda finding: order.index(finding.severity))
    return Report(str(account.identity) if account else "", tuple(dict.fromkeys(findings)))


def _find_region(subject: Subject, settings: Settings) -> str | None:
    """The Region that the app is bound to, if it is; a local cloud stands for every Region."""
    if is_local() or subject.assembly is None:
        return None if is_local() else settings.region
    try:
        return read_folder(subject.assembly).region
    except AssemblyError:
        # It is reported where the app is read.
        return None


def _open_app(subject: Subject, settings: Settings) -> AbstractContextManager[Synthesis]:
    if subject.assembly or settings.mistake:
        return take_assembly(subject.assembly or Path())
    return synthesize(subject.environment)


def _list_first_questions(
    subject: Subject, clients: Clients | Finding, *, has_checkout: bool
) -> dict[str, Callable[[], Any]]:
    questions: dict[str, Callable[[], Any]] = {"engine": read_engine}
    if has_checkout:
        questions["toolchain"] = read_toolchain
    if has_checkout and subject.assembly:
        questions["templates"] = partial(validate, subject.assembly)
    if isinstance(clients, Clients):
        questions["identity"] = partial(find_identity, clients)
    return questions


def _read_identity(clients: Clients | Finding, seen: dict[str, Any]) -> Identity | Finding:
    if isinstance(clients, Finding):
        return clients
    identity: Identity | Finding | NotSeen = seen["identity"]
    if isinstance(identity, NotSeen):
        return not_seen(Check.CREDENTIALS, "AWS credentials", identity.reason)
    return identity


def _check_machine(seen: dict[str, Any], *, needs_engine: bool | None) -> Iterator[Finding]:
    toolchain, engine, templates = seen.get("toolchain"), seen["engine"], seen.get("templates", [])
    if isinstance(toolchain, NotSeen):
        yield not_seen(Check.CDK, "this machine", toolchain.reason)
    elif toolchain:
        yield from check_toolchain(toolchain)
    yield from check_engine(engine.reason if isinstance(engine, NotSeen) else engine, is_needed=needs_engine)
    yield from check_sagemaker_sdk()
    yield from (
        [not_seen(Check.TEMPLATES, "cdk validate", templates.reason)] if isinstance(templates, NotSeen) else templates
    )


def _check_place(clients: Clients | Finding, needs: Needs) -> Iterator[Finding]:
    """What is known of a Region without an account there."""
    region = clients.region if isinstance(clients, Clients) else needs.assembly.region
    if region and not is_local():
        yield from check_region(region, needs)


def _check_account(account: Account, needs: Needs, app: Synthesis, subject: Subject) -> Iterator[Finding]:
    ids = {name: stack for stack, name in needs.assembly.stack_names.items()}
    variables = {"AWS_PROFILE": subject.profile} if subject.profile else {}
    if not account.identity.is_local:
        yield from check_region(account.identity.region, needs)
    yield from check_bootstrap(account, needs)
    yield from check_stacks(account, lambda name: diagnose(app.folder, ids[name], variables) if name in ids else "")
    yield from check_quotas(account, needs)
    yield from check_lambda_concurrency(account, needs)
    yield from check_zones(account, needs)
    yield from check_instance_types(account, needs)
    yield from check_container_images(account, needs, subject.environment)
    yield from check_object_lambda(account, needs)
    yield from check_api_logs(account, needs)
    yield from check_existing(account)
