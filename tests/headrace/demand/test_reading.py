from datetime import date
from pathlib import Path

import pytest

from headrace.demand import DemandError, Series, find_mistakes, read_demand

HEADER = "date,store,item,sales\n"


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "demand.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_reads_series_in_the_order_of_numbers_whatever_the_order_of_rows(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + "2024-03-02,10,1,7\n2024-03-01,10,1,5.5\n2024-03-01,2,1,0\n")

    assert read_demand(path) == [
        Series("2", "1", date(2024, 3, 1), (0.0,)),
        Series("10", "1", date(2024, 3, 1), (5.5, 7.0)),
    ]


def test_reads_columns_by_their_names_and_ignores_others(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeffsales,price,item,date,store\n3,9.99,soap,2024-03-01 00:00:00,north\n")

    assert read_demand(path) == [Series("north", "soap", date(2024, 3, 1), (3.0,))]


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("", 1, "the file is empty; it needs a header date,store,item,sales and a row for each day"),
        (
            "day,store,item,sales\n",
            1,
            "the header must have date once, but has 'day', 'store', 'item', 'sales'; name the columns so",
        ),
        (HEADER + "2024-03-01,1,1\n", 2, "expected 4 fields, found 3; look for a missing or a stray comma"),
        (
            HEADER + "01/03/2024,1,1,5\n",
            2,
            "date '01/03/2024' is not a day such as 2013-01-31; write year, month and day in this order",
        ),
        (
            HEADER + "2024-03-01 14:00,1,1,5\n",
            2,
            "'2024-03-01 14:00' has a time of day; sum the sales up by day, and write days as 2013-01-31",
        ),
        (HEADER + "2024-03-01,,1,5\n", 2, "store is empty; say which store the row is about"),
        (HEADER + "2024-03-01,1,1,\n", 2, "sales is empty; write 0 for a day on which nothing was sold"),
        (HEADER + "2024-03-01,1,1,many\n", 2, "sales 'many' is not a number; correct it"),
        (HEADER + "2024-03-01,1,1,inf\n", 2, "sales 'inf' is not a number; correct it"),
        (
            HEADER + "2024-03-01,1,1,-3\n",
            2,
            "sales -3 is negative; leave returns out of the sales, and write 0 where nothing else was sold",
        ),
        (
            HEADER + "2024-03-01,1,1,5\n2024-03-02,1,1,5\n2024-03-01,1,1,6\n",
            4,
            "item 1 in store 1 has 2024-03-01 on line 2 already; keep one of them, or their sum",
        ),
        (
            HEADER + "2024-03-01,1,1,5\n2024-03-02,1,1,5\n2024-03-04,1,1,6\n",
            4,
            "item 1 in store 1: 2024-03-03 is missing before 2024-03-04; add a row for each, with 0 where nothing was "
            "sold",
        ),
        (
            HEADER + "2024-03-01,1,1,5\n2024-03-02,1,1,5\n2024-03-08,1,1,6\n",
            4,
            "item 1 in store 1: the 5 days from 2024-03-03 on are missing before 2024-03-08; add a row for each, "
            "with 0 where nothing was sold",
        ),
        (
            HEADER + "2024-03-01,1,1,5\n2024-03-08,1,1,5\n2024-03-15,1,1,6\n",
            3,
            "item 1 in store 1 has a row a week; give every series a row for each day, or leave this one out",
        ),
        (
            HEADER + "2024-01-01,1,2,5\n2024-01-02,1,2,5\n2024-01-01,1,1,5\n2024-02-01,1,1,5\n2024-03-01,1,1,6\n",
            5,
            "item 1 in store 1 has a row a month, while other series have one a day; give every series a row for each "
            "day, or leave this one out",
        ),
    ],
)
def test_says_where_a_file_is_wrong_and_what_to_do(tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(DemandError) as caught:
        read_demand(write(tmp_path, text))

    assert str(caught.value) == f"demand.csv, line {line}: {said}"


def test_lists_everything_that_is_wrong_in_the_order_of_lines(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + "2024-03-01,1,1,-1\n2024-03-02,1,1,x\n2024-03-03,1,1,1\n2024-03-03,1,1,1\n")

    assert [mistake.line for mistake in find_mistakes(path)] == [2, 3, 5]
    with pytest.raises(DemandError, match=r"line 2: .* \(2 more mistakes in the file\)"):
        read_demand(path)


def test_takes_no_row_that_cannot_be_read_for_a_missing_day(tmp_path: Path) -> None:
    path = write(tmp_path, HEADER + "2024-03-01,1,1,1\n2024-03-02,1,1,-1\n2024-03-03,1,1,1\n")

    assert [mistake.line for mistake in find_mistakes(path)] == [3]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (HEADER.encode(), "has a header but no rows"),
        (b"\xff\xfe" + HEADER.encode("utf-16-le"), "the header must have date, store, item, sales once"),
        (HEADER.encode() + b'2024-03-01,"1,1,5\n', "not readable as CSV"),
    ],
)
def test_refuses_what_is_not_such_a_file(tmp_path: Path, content: bytes, said: str) -> None:
    with pytest.raises(DemandError, match=said):
        read_demand(write(tmp_path, content))


def test_names_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DemandError, match=r"demand\.csv: No such file or directory"):
        read_demand(tmp_path / "demand.csv")
