"""What the Region and its zones lack of what the templates ask for."""

from collections.abc import Iterator, Mapping, Set
from typing import Final

from headrace import regions
from headrace.doctor.account import Account
from headrace.doctor.asking import NotSeen
from headrace.doctor.findings import Check, Finding, Severity, not_seen
from headrace.doctor.needs import Needs, Zones

_SETTINGS: Final[Mapping[str, str]] = {
    regions.FUNCTION_URL: "set normalizer.function_url to false and images.training.normalized to null",
    regions.FSX_FILE_SYSTEM: "set file_systems.fsx.enabled to false, and let channels come from s3 or efs",
    regions.NOTEBOOK: "set notebook.enabled to false",
    regions.OBJECT_LAMBDA: "set normalizer.object_lambda to false",
}
_SERVICES: Final[Mapping[str, tuple[str, str]]] = {
    regions.TEXTRACT: ("Textract", "set documents to null"),
    regions.COMPREHEND: ("Comprehend", "set documents.insights to []"),
}
_ANOTHER_REGION: Final = "deploy to another Region: set `region` of the environment in cdk.json"
_ANOTHER_TYPE: Final = "set another instance_type, or another Region"


def check_region(region: str, needs: Needs) -> Iterator[Finding]:
    """What the Region does not offer, as far as the published lists say."""
    if region not in regions.list_regions():
        yield not_seen(Check.REGION, region, "it is not among the Regions whose offers are known")
        return
    for kind in needs.list_types():
        if regions.lacks_type(region, kind):
            yield _lacks(Check.REGION, region, f"it has no {kind}", _SETTINGS.get(kind, _ANOTHER_REGION))
        elif kind == regions.FSX_FILE_SYSTEM and regions.lacks_lustre(region):
            problem = "its FSx for Lustre has neither PERSISTENT_2 nor SCRATCH_2"
            yield _lacks(Check.REGION, region, problem, _SETTINGS[kind])
    yield from _check_services(region, needs)
    for use in needs.uses:
        if regions.lacks_instance_type(region, use.instance_type):
            problem = f"it has no instances of the family of {use.instance_type}, which {use.place} asks for"
            yield _lacks(Check.INSTANCE_TYPES, region, problem, _ANOTHER_TYPE)


def check_zones(account: Account, needs: Needs) -> Iterator[Finding]:
    """Whether the zones of the subnets are there."""
    wanted, place = needs.find_zones(), str(account.identity)
    if wanted.names and isinstance(account.zones, NotSeen):
        yield not_seen(Check.ZONES, place, account.zones.reason)
    elif wanted.names and not isinstance(account.zones, NotSeen):
        for name in wanted.names:
            if name not in account.zones:
                cure = f"set network.availability_zones to some of {', '.join(sorted(account.zones))}"
                yield _lacks(Check.ZONES, place, f"the account has no zone {name} there", cure)
    if not wanted.count:
        return
    listed = _list_zones(account)
    if isinstance(listed, NotSeen):
        yield not_seen(Check.ZONES, place, listed.reason)
    elif len(listed) < wanted.count:
        problem = (
            f"the network wants {wanted.count} zones, and CloudFormation lists those with a default subnet: "
            f"{', '.join(listed)}"
        )
        cure = "set network.availability_zones to the names of zones, or to a smaller number"
        yield _lacks(Check.ZONES, place, problem, cure)


def check_instance_types(account: Account, needs: Needs) -> Iterator[Finding]:
    """Whether there are instances of each type in the Region and, for what runs in the VPC, in its zones.

    EC2's offers stand for SageMaker's, which AWS does not publish by zone.
    """
    place = str(account.identity)
    if isinstance(account.offers, NotSeen):
        if needs.uses:
            yield not_seen(Check.INSTANCE_TYPES, place, account.offers.reason)
        return
    zones = _choose_zones(account, needs.find_zones())
    for use in needs.uses:
        offered = account.offers.get(use.instance_type.removeprefix("ml."), frozenset())
        if not offered:
            problem = f"{use.place} asks for {use.instance_type}, which no zone there has"
            yield _lacks(Check.INSTANCE_TYPES, place, problem, _ANOTHER_TYPE)
        elif use.is_in_network and zones and not zones <= offered:
            yield _lacks_in_zones(use.place, use.instance_type, place, zones, offered)


def _check_services(region: str, needs: Needs) -> Iterator[Finding]:
    for service, (word, without) in _SERVICES.items():
        if service in needs.services and regions.lacks_service(region, service):
            yield _lacks(Check.REGION, region, f"it has no {word}, which executions call", without)


def _lacks_in_zones(user: str, kind: str, place: str, zones: Set[str], offered: Set[str]) -> Finding:
    none = zones.isdisjoint(offered)
    return Finding(
        check=Check.INSTANCE_TYPES,
        severity=Severity.ERROR if none else Severity.WARNING,
        place=place,
        problem=f"{user} runs {kind} in the VPC, whose "
        f"{'zones do' if none else 'zone ' + ', '.join(sorted(zones - offered)) + ' does'} not have it",
        cure=f"set network.availability_zones to some of {', '.join(sorted(offered))}, or another instance_type",
    )


def _list_zones(account: Account) -> tuple[str, ...] | NotSeen:
    """The zones that `Fn::GetAZs` lists: those with a default subnet, unless there are none."""
    if isinstance(account.default_zones, NotSeen) or account.default_zones:
        return account.default_zones
    return account.zones if isinstance(account.zones, NotSeen) else tuple(sorted(account.zones))


def _choose_zones(account: Account, wanted: Zones) -> frozenset[str]:
    """The zones that the subnets will be in; the order of those that are listed is not guaranteed."""
    listed = _list_zones(account)
    counted = () if isinstance(listed, NotSeen) else listed[: wanted.count]
    return frozenset((*wanted.names, *counted))


def _lacks(check: Check, place: str, problem: str, cure: str) -> Finding:
    return Finding(check=check, severity=Severity.ERROR, place=place, problem=problem, cure=cure)
