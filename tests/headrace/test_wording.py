import pytest

from headrace.wording import counted


@pytest.mark.parametrize(("count", "text"), [(0, "0 lines"), (1, "1 line"), (2, "2 lines"), (1200, "1,200 lines")])
def test_writes_a_number_and_what_it_counts(count: int, text: str) -> None:
    assert counted(count, "line") == text
