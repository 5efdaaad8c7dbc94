"""The Big Mart columns and the fixed rules for cleaning them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

IDENTIFIER = "Item_Identifier"
TARGET = "Item_Outlet_Sales"
NUMBERS = ("Item_Weight", "Item_Visibility", "Item_MRP", "Outlet_Establishment_Year")
CATEGORIES = (
    "Item_Fat_Content",
    "Item_Type",
    "Outlet_Identifier",
    "Outlet_Size",
    "Outlet_Location_Type",
    "Outlet_Type",
)
REQUIRED = (IDENTIFIER, *NUMBERS, *CATEGORIES, TARGET)

# An item without a weight gets the mean weight of its type.
MEAN_BY: Mapping[str, str] = MappingProxyType({"Item_Weight": "Item_Type"})

# Keys are compared with a cell that was stripped and lower-cased.
SPELLINGS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "Item_Fat_Content": MappingProxyType(
            {"lf": "Low Fat", "low fat": "Low Fat", "reg": "Regular", "regular": "Regular"}
        )
    }
)


@dataclass(frozen=True, kw_only=True)
class CategoryRule:
    """What stands in for a missing category, decided by the category of another column."""

    by: str
    values: Mapping[str, str]


CATEGORY_FILLS: Mapping[str, CategoryRule] = MappingProxyType(
    {
        "Outlet_Size": CategoryRule(
            by="Outlet_Type",
            values=MappingProxyType(
                {
                    "Grocery Store": "Small",
                    "Supermarket Type1": "Small",
                    "Supermarket Type2": "Medium",
                    "Supermarket Type3": "Medium",
                }
            ),
        )
    }
)
