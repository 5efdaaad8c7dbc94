import pytest

from headrace.local.engine.alarms.errors import AlarmRefusedError
from headrace.local.engine.alarms.expressions import Series, read_expression

ERRORS: Series = [0, 2, None, 5]
CALLS: Series = [10, 0, None, 10]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("errors", ERRORS),
        ("errors / calls", [0, None, None, 0.5]),
        ("100 * errors / (calls + 10)", [0, 20, None, 25]),
        ("errors - -1", [1, 3, None, 6]),
        ("2 + 3 * 4 ^ 2", [50, 50, 50, 50]),
        ("FILL(errors, 0)", [0, 2, 0, 5]),
        ("FILL(errors, REPEAT)", [0, 2, 2, 5]),
        ("FILL(errors, 0) / FILL(calls, 1)", [0, None, 0, 0.5]),
        ("IF(calls > 5, errors / calls, 0)", [0, 0, None, 0.5]),
        ("IF(calls > 5, errors)", [0, None, None, 5]),
        ("IF(calls == 10 AND errors >= 5, 1, 0)", [0, 0, None, 1]),
        ("errors == 2 || calls != 0", [1, 1, None, 1]),
        ("SUM([errors, calls])", [10, 2, None, 15]),
        ("MAX([errors, calls])", [10, 2, None, 10]),
        ("SUM(errors)", [7, 7, 7, 7]),
        ("AVG(errors)", [7 / 3] * 4),
        ("MIN([FILL(errors, 9), calls])", [0, 0, 9, 5]),
        ("1 / (calls - calls)", [None] * 4),
        ("10 ^ 400 * errors", [None] * 4),
        ("1 / 0", [None] * 4),
        ("ABS(errors - 3) + CEIL(0.5) + FLOOR(0.5)", [4, 2, None, 3]),
    ],
)
def test_calculates_point_by_point(text: str, expected: Series) -> None:
    expression = read_expression(text)

    assert expression.evaluate({"errors": ERRORS, "calls": CALLS}, 4) == pytest.approx(expected)


def test_says_what_it_is_calculated_from() -> None:
    assert read_expression("IF(m1 > 0, SUM([m2, m3]), 0)").names == {"m1", "m2", "m3"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("ANOMALY_DETECTION_BAND(m1, 2)", "there is no function ANOMALY_DETECTION_BAND of 2 arguments"),
        ("SEARCH('{AWS/SageMaker}')", "cannot be read"),
        ("m1 +", "a value is missing"),
        ("(m1", r"\) is missing"),
        ("m1 m2", "'m2' is not expected there"),
        ("SUM(m1, m2)", "there is no function SUM of 2 arguments"),
        ("SELECT AVG(x) FROM y", "'SELECT' is neither a number nor an id"),
        ("", "a value is missing"),
        ("(" * 60 + "m1" + ")" * 60, "nested more than 50 deep"),
        ("-" * 1000 + "m1", "nested more than 50 deep"),
        ("m1" + " + m1" * 1000, "at most 2048 characters"),
    ],
)
def test_refuses_what_it_cannot_calculate(text: str, reason: str) -> None:
    with pytest.raises(AlarmRefusedError, match=reason):
        read_expression(text)
