from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headrace.local.sagemaker import SageMakerError
from headrace.local.sagemaker.catalog import Catalog, list_page
from headrace.local.sagemaker.definitions import Definition

START = datetime(2026, 11, 20, tzinfo=UTC)


def make_catalog(*names: str) -> Catalog[Definition]:
    catalog: Catalog[Definition] = Catalog()
    for seconds, name in enumerate(names):
        catalog.add(
            Definition(kind="Model", name=name, arn=name, request={}, creation_time=START + timedelta(seconds=seconds))
        )
    return catalog


def page(catalog: Catalog[Definition], **request: Any) -> dict[str, Any]:
    return list_page(catalog, request, key="Names")


def names(catalog: Catalog[Definition], **request: Any) -> list[str]:
    return [entry["ModelName"] for entry in page(catalog, **request)["Names"]]


def test_takes_names_that_differ_in_case_for_one() -> None:
    catalog = make_catalog("Model")
    (model,) = catalog

    assert catalog.add(replace(model, name="model")) is model
    assert catalog.find("MODEL") is model


def test_lists_the_newest_first_unless_told_otherwise() -> None:
    catalog = make_catalog("b", "a")

    assert names(catalog) == ["a", "b"]
    assert names(catalog, SortOrder="Ascending") == ["b", "a"]
    assert names(catalog, SortBy="Name", SortOrder="Ascending") == ["a", "b"]


def test_lists_ten_unless_told_otherwise() -> None:
    answer = page(make_catalog(*(f"model-{number}" for number in range(11))))

    assert len(answer["Names"]) == 10
    assert "NextToken" in answer


@pytest.mark.parametrize(
    ("request_", "listed"),
    [
        ({"NameContains": "RAIN"}, ["train"]),
        ({"StatusEquals": "Failed"}, []),
        ({"WarmPoolStatusEquals": "InUse"}, []),
        ({"CreationTimeAfter": START}, ["test"]),
        ({"CreationTimeBefore": (START + timedelta(seconds=1)).timestamp()}, ["train"]),
        ({"LastModifiedTimeAfter": START + timedelta(seconds=5)}, []),
    ],
)
def test_filters(request_: dict[str, Any], listed: list[str]) -> None:
    assert names(make_catalog("train", "test"), **request_) == listed


@pytest.mark.parametrize("token", ["x", "MQ==", "W10=", "ä"])
def test_refuses_a_token_that_is_not_its_own(token: str) -> None:
    with pytest.raises(SageMakerError, match="NextToken is not one that an earlier answer gave"):
        page(make_catalog("a"), NextToken=token)


@given(
    given_names=st.lists(st.from_regex(r"[a-z0-9]{1,3}", fullmatch=True), unique=True, max_size=12),
    size=st.integers(1, 5),
    order=st.sampled_from(["Ascending", "Descending"]),
    sort_by=st.sampled_from(["Name", "CreationTime", "Status"]),
)
def test_pages_together_list_everything_once_and_in_order(
    given_names: list[str], size: int, order: str, sort_by: str
) -> None:
    catalog = make_catalog(*given_names)
    request: dict[str, Any] = {"MaxResults": size, "SortOrder": order, "SortBy": sort_by}
    listed: list[str] = []
    while True:
        answer = page(catalog, **request)
        listed += [entry["ModelName"] for entry in answer["Names"]]
        if "NextToken" not in answer:
            break
        request["NextToken"] = answer["NextToken"]

    expected = given_names if sort_by == "CreationTime" else sorted(given_names)
    assert listed == (expected if order == "Ascending" else expected[::-1])
