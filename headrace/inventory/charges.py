"""What a thing costs while it only stands: how many units a month of which price."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from headrace.errors import HeadraceError
from headrace.inventory.items import Item, Maker
from headrace.inventory.prices import HOURS_PER_MONTH, INSTANCE

# Alarms that look more often than once a minute are of high resolution.
_USUAL_PERIOD_SECONDS: Final = 60
_SERVERLESS_MB_PER_GB: Final = 1024
_SECONDS_PER_MONTH: Final = HOURS_PER_MONTH * 3600
_FSX_THROUGHPUT_MB_PER_TIB: Final = 125
_NOTEBOOK_GB: Final = 5
_NOTEBOOK_STOPPED: Final = ("Stopped", "Failed", "Deleting")


@dataclass(frozen=True)
class Charge:
    """So many units of what a price is for; of a standing cost, a month."""

    price: str
    quantity: float


class NotPricedError(HeadraceError):
    """What a thing costs hangs on something that is not known."""


Charging = Callable[[Item], Sequence[Charge]]


def charge_nothing(_item: Item) -> Sequence[Charge]:
    """It costs nothing while it only stands."""
    return ()


def charge_monthly(price: str) -> Charging:
    """It costs the same each month."""
    return lambda _item: [Charge(price, 1)]


def charge_hourly(price: str) -> Charging:
    """It costs by the hour."""
    return lambda _item: [Charge(price, HOURS_PER_MONTH)]


def charge_stored(price: str) -> Charging:
    """It costs by the GB that is in it, as far as that was measured."""
    return lambda item: [Charge(price, item.amounts["gb"])] if item.amounts.get("gb") else []


def charge_bucket(item: Item) -> Sequence[Charge]:
    """What is in it, and the objects that Intelligent-Tiering watches."""
    watched = item.amounts.get("watched_objects", 0)
    return [*charge_stored("s3-gb-month")(item), *([Charge("s3-monitored-object-month", watched)] if watched else [])]


def charge_alarm(item: Item) -> Sequence[Charge]:
    """Each metric that it looks at, for three times as much where it looks more often than once a minute."""
    metrics = [part["MetricStat"] for part in _list(item, "Metrics") if "MetricStat" in part]
    periods = [_number(item, stat, "Period") for stat in metrics] or [
        _number(item, item.properties, "Period", _number(item, item.properties, "EvaluationInterval", 60))
    ]
    names = ["alarm-often-month" if period < _USUAL_PERIOD_SECONDS else "alarm-month" for period in periods]
    return [Charge(name, names.count(name)) for name in dict.fromkeys(names)]


def charge_web_acl(item: Item) -> Sequence[Charge]:
    """It, and each of its rules; a group of AWS's rules is one."""
    return [Charge("web-acl-month", 1), Charge("web-acl-rule-month", len(_list(item, "Rules")))]


def charge_vpc_endpoint(item: Item) -> Sequence[Charge]:
    """Its hours in each zone; a gateway costs nothing."""
    if item.properties.get("VpcEndpointType", "Gateway") == "Gateway":
        return []
    return [Charge("interface-endpoint-hour", HOURS_PER_MONTH * max(1, len(_list(item, "SubnetIds"))))]


def charge_classifier_endpoint(item: Item) -> Sequence[Charge]:
    """Each second of each of its inference units, used or not."""
    units = _number(item, item.properties, "DesiredInferenceUnits", 1)
    return [Charge("comprehend-endpoint-second", _SECONDS_PER_MONTH * units)]


def charge_fsx(item: Item) -> Sequence[Charge]:
    """Its capacity, used or not, at the price of its throughput."""
    if item.properties.get("FileSystemType", "LUSTRE") != "LUSTRE":
        raise NotPricedError("only file systems of the type LUSTRE are priced")
    lustre = item.properties.get("LustreConfiguration", {})
    if str(lustre.get("DeploymentType", "")).startswith("SCRATCH"):
        price = "fsx-scratch-gb-month"
    else:
        throughput = _number(item, lustre, "PerUnitStorageThroughput", _FSX_THROUGHPUT_MB_PER_TIB)
        price = f"fsx-persistent-{throughput:g}-gb-month"
    return [Charge(price, _number(item, item.properties, "StorageCapacity"))]


def charge_notebook(item: Item) -> Sequence[Charge]:
    """Its volume, and its instance until it has stopped.

    That of a template is taken for stopped where a script at its start can stop it: one without such a script runs.
    """
    is_stopped = "LifecycleConfigName" in item.properties
    in_template = ("Stopped" if is_stopped else "InService") if item.maker is Maker.TEMPLATE else None
    status = item.properties.get("Status", in_template)
    if status is None:
        raise NotPricedError(f"whether {item.name} runs is not known")
    volume = Charge("volume-gb-month", _number(item, item.properties, "VolumeSizeInGB", _NOTEBOOK_GB))
    if status in _NOTEBOOK_STOPPED:
        return [volume]
    return [volume, Charge(_name_instance(item, item.properties), HOURS_PER_MONTH)]


def charge_stack(item: Item) -> Sequence[Charge]:
    """Nothing, as what is in it is counted by itself; a nested one of a template has its own template elsewhere."""
    if item.maker is Maker.TEMPLATE:
        raise NotPricedError(f"what {item.name} has is in another template: price that one, too")
    return []


def charge_endpoint(item: Item) -> Sequence[Charge]:
    """The hours of its instances, or the memory that is kept ready where it is serverless."""
    if "ProductionVariants" not in item.properties:
        raise NotPricedError(f"the instances of {item.name} are not known: its configuration names them")
    return [charge for variant in _list(item, "ProductionVariants") for charge in _charge_variant(item, variant)]


def charge_job(item: Item) -> Sequence[Charge]:
    """The hours of its instances, for as long as it has not ended."""
    if item.properties.get("Status", "InProgress") not in ("InProgress", "Stopping"):
        return []
    count = _number(item, item.properties, "InstanceCount", 1)
    return [Charge(_name_instance(item, item.properties), HOURS_PER_MONTH * count)]


def _charge_variant(item: Item, variant: Mapping[str, Any]) -> Sequence[Charge]:
    if serverless := variant.get("ServerlessConfig"):
        kept = _number(item, serverless, "ProvisionedConcurrency", 0)
        gb = _number(item, serverless, "MemorySizeInMB") / _SERVERLESS_MB_PER_GB
        return [Charge("serverless-provisioned-gb-second", kept * gb * _SECONDS_PER_MONTH)] if kept else []
    count = _number(item, variant, "CurrentInstanceCount", _number(item, variant, "InitialInstanceCount", 1))
    return [Charge(_name_instance(item, variant), HOURS_PER_MONTH * count)]


def _name_instance(item: Item, holder: Mapping[str, Any]) -> str:
    """The name of the price of a machine."""
    value = holder.get("InstanceType")
    if not isinstance(value, str):
        raise _explain(item, "InstanceType", value)
    return f"{INSTANCE}{value}"


def _number(item: Item, holder: Mapping[str, Any], key: str, default: float | None = None) -> float:
    value = holder.get(key, default)
    try:
        return float(value)
    except (TypeError, ValueError):
        raise _explain(item, key, value) from None


def _explain(item: Item, key: str, value: object) -> NotPricedError:
    fault = "not set" if value is None else "known after its deployment only"
    return NotPricedError(f"{key} of {item.name} is {fault}")


def _list(item: Item, key: str) -> Sequence[Any]:
    value = item.properties.get(key, ())
    if not isinstance(value, list | tuple):
        raise NotPricedError(f"{key} of {item.name} is known after its deployment only")
    return value
