import json
import math
import random
from collections.abc import Iterator
from typing import Any

import pytest

from headrace.drift.comparison import compare, decide, find_index, find_needed
from headrace.drift.contract import Verdict
from headrace.drift.profiles import MISSING, OTHER, Profile, ProfileError, make_profile, read_profile
from headrace.drift.report import Check, render_page

HEADER = ("price", "city", "sold")
CITIES = ("Berlin", "Bern", "Basel")


def make_rows(count: int, seed: int, *, mean: float = 100, cities: tuple[str, ...] = CITIES) -> list[list[str]]:
    """Rows of what was sold, alike for every seed."""
    draw = random.Random(seed)  # noqa: S311
    return [[f"{draw.gauss(mean, 20):.2f}", draw.choice(cities), f"{draw.random():.3f}"] for _ in range(count)]


@pytest.fixture(scope="module")
def profile() -> Profile:
    return make_profile(HEADER, make_rows(5_000, seed=1), without="sold")


def ask(rows: list[list[str]]) -> list[list[str]]:
    """The rows of requests, which have no target."""
    return [row[:2] for row in rows]


def test_profiles_all_columns_but_what_is_predicted(profile: Profile) -> None:
    assert (profile.names, profile.rows) == (("price", "city"), 5_000)
    assert [column.kind for column in profile.columns] == ["number", "category"]


def test_puts_a_tenth_of_the_numbers_into_each_bin(profile: Profile) -> None:
    price, _ = profile.columns

    assert len(price.counts) == 10
    assert all(count == pytest.approx(500, abs=5) for count in price.counts.values())


@pytest.mark.parametrize(("cell", "label"), [("", MISSING), (" ", MISSING), ("dear", OTHER), ("nan", OTHER)])
def test_has_bins_for_what_is_no_number(profile: Profile, cell: str, label: str) -> None:
    assert profile.columns[0].find_bin(cell) == label


def test_knows_a_new_category(profile: Profile) -> None:
    assert [profile.columns[1].find_bin(cell) for cell in ("Bern", " Bern ", "Paris", "")] == [
        "Bern",
        "Bern",
        OTHER,
        MISSING,
    ]


def test_a_column_of_two_numbers_is_one_of_categories() -> None:
    (column,) = make_profile(("sold",), [["0"], ["1"], ["1"]]).columns

    assert (column.kind, column.counts) == ("category", {"1": 2, "0": 1})


def test_few_different_numbers_have_a_bin_each() -> None:
    (column,) = make_profile(("year",), [[year] for year in ("1985", "1987", "1987", "1999")]).columns

    assert column.counts == {"≤ 1985": 1, "≤ 1987": 2, "> 1987": 1}


def test_tells_numbers_apart_that_differ_in_their_last_digits_only() -> None:
    profile = make_profile(("at",), [[str(1_796_000_000 + second)] for second in range(5_000)])
    (change,) = compare(profile, [[str(1_796_000_000 + second % 500)] for second in range(5_000)])

    assert len(profile.columns[0].counts) == 10
    assert change.verdict is Verdict.DRIFTED


def test_shows_as_many_digits_of_edges_as_tell_them_apart() -> None:
    (column,) = make_profile(("share",), [[str(number / 3)] for number in (1, 2, 2, 4)]).columns
    (late,) = make_profile(("at",), [[str(1_796_000_000 + second)] for second in (1, 2, 3)]).columns

    assert [*column.captions.values()] == ["≤ 0.333333", "≤ 0.666667", "> 0.666667"]
    assert [*late.captions.values()] == ["≤ 1796000001", "≤ 1796000002", "> 1796000002"]


def test_survives_json(profile: Profile) -> None:
    assert read_profile(json.loads(json.dumps(profile.render()))) == profile


def list_broken() -> Iterator[tuple[Any, str]]:
    column = {"name": "a", "kind": "number", "edges": [1.0], "counts": {"≤ 1": 1, "> 1": 0}}
    whole = {"format": "headrace-profile", "version": 1, "rows": 1, "columns": [column]}
    yield [], "is not a profile"
    yield {**whole, "format": "other"}, "is not a profile"
    yield {**whole, "version": 2}, "reads version 1"
    yield {**whole, "columns": [{**column, "edges": [2.0, 1.0]}]}, "is not a whole profile"
    yield {**whole, "columns": [{**column, "edges": [1.0, 1.0]}]}, "is not a whole profile"
    yield {**whole, "columns": [{**column, "edges": [1.0, math.nan]}]}, "is not a whole profile"
    yield {**whole, "columns": [{**column, "edges": [1.00000001]}]}, "bins"
    yield {**whole, "columns": [{**column, "kind": "text"}]}, "is not a whole profile"
    yield {**whole, "columns": [{}]}, "is not a whole profile"
    yield {**whole, "columns": [{**column, "counts": {"a": "many"}}]}, "is not a whole profile"


@pytest.mark.parametrize(("content", "message"), [*list_broken()])
def test_refuses_what_is_no_profile(content: Any, message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        read_profile(content)


@pytest.mark.parametrize(
    ("header", "rows", "without", "message"),
    [
        (("a", "b"), [["1"]], None, "row 2: has 1 cells, the header 2"),
        (("a",), [], None, "there are no rows"),
        ((), [], None, "there are no rows"),
        (("a",), [["1"]], "b", "there is no column 'b'; there are a"),
    ],
)
def test_refuses_rows_that_say_nothing(header: Any, rows: Any, without: str | None, message: str) -> None:
    with pytest.raises(ProfileError, match=message):
        make_profile(header, rows, without=without)


def test_the_index_is_that_of_the_book() -> None:
    # Worked by hand: shares 0.1, 0.9 and 0.4, 0.6 with half a cell more: 10.5/101, 90.5/101, 40.5/101, 60.5/101.
    expected = 30 / 101 * math.log(40.5 / 10.5) - 30 / 101 * math.log(60.5 / 90.5)

    assert find_index({"a": 10, "b": 90}, {"a": 40, "b": 60}) == pytest.approx(expected)


def test_the_same_rows_have_not_moved(profile: Profile) -> None:
    changes = compare(profile, ask(make_rows(5_000, seed=1)))

    assert [round(change.index, 6) for change in changes] == [0, 0]


def test_says_which_column_drifted(profile: Profile) -> None:
    changes = compare(profile, ask(make_rows(500, seed=2, mean=125)))

    assert [change.verdict for change in changes] == [Verdict.DRIFTED, Verdict.STEADY]
    assert decide(changes) is Verdict.DRIFTED


def test_a_new_category_is_a_drift(profile: Profile) -> None:
    price, city = compare(profile, ask(make_rows(500, seed=3, cities=("Berlin", "Paris"))))

    assert (price.verdict, city.verdict) == (Verdict.STEADY, Verdict.DRIFTED)


def test_empty_cells_are_a_drift(profile: Profile) -> None:
    rows = [["" if place % 3 else price, city] for place, (price, city, _) in enumerate(make_rows(500, seed=4))]

    assert compare(profile, rows)[0].verdict is Verdict.DRIFTED


def test_too_few_rows_say_nothing(profile: Profile) -> None:
    changes = compare(profile, ask(make_rows(40, seed=5, mean=500)))

    assert {change.verdict for change in changes} == {Verdict.TOO_FEW}
    assert decide(changes) is Verdict.TOO_FEW
    assert decide(compare(profile, [])) is Verdict.TOO_FEW


def test_training_data_that_are_too_few_say_nothing_either() -> None:
    profile = make_profile(("price",), [[str(number)] for number in range(40)])

    (change,) = changes = compare(profile, [["1000"]] * 10_000)
    check = Check(
        title="a", threshold=0.2, rows=10_000, baseline_rows=40, changes=changes, quality=None, unread={"x": 1}
    )

    assert (change.verdict, change.needed, change.render()["needed"]) == (Verdict.TOO_FEW, None, None)
    assert check.summarize() == "the training data are too few to say anything: 40 rows"
    assert "too few: the training data have only 40 cells" in render_page(check)
    assert "1 line that cannot be read: x" in render_page(check)


def test_calls_chance_no_drift(profile: Profile) -> None:
    price, city = profile.columns
    needed = max(find_needed(column, 0.2, 100) or 0 for column in (price, city))

    drifted = [
        change.column.name
        for seed in range(1_000, 1_300)
        for change in compare(profile, ask(make_rows(needed, seed=seed)))
        if change.verdict is Verdict.DRIFTED
    ]

    # Six hundred looks at one in a thousand.
    assert len(drifted) <= 3
