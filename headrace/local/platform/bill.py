"""The bill of a running local cloud."""

from headrace.inventory.prices import PriceList
from headrace.local.bill import Bill, make_bill
from headrace.local.engine.cloud import LocalCloud
from headrace.local.platform.owner_calls import call_as_owner
from headrace.local.usage import PATH


def read_bill(cloud: LocalCloud, prices: PriceList) -> Bill:
    """The bill of a cloud, from its beginning until now.

    Args:
        cloud: A local cloud that runs.
        prices: What AWS asks for.
    """
    return make_bill(call_as_owner(cloud, "GET", PATH), prices)
