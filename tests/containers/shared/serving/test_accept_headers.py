import pytest

from containers.shared.serving.accept_headers import parse_accept


@pytest.mark.parametrize(
    ("accept", "wishes"),
    [
        ("", []),
        (" , ", []),
        ("Text/CSV", [("text/csv", 1.0)]),
        ("text/*;q=0.5, application/json; charset=utf-8", [("text/*", 0.5), ("application/json", 1.0)]),
        ("text/csv; Q = 0.25", [("text/csv", 0.25)]),
        ("text/csv;q=much", [("text/csv", 0.0)]),
    ],
)
def test_reads_patterns_and_their_qualities_in_order(accept: str, wishes: list[tuple[str, float]]) -> None:
    assert parse_accept(accept) == wishes
