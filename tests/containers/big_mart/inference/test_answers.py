import pytest

from containers.big_mart.inference.answers import format_predictions


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("text/csv", b"1.5\n2.0\n"),
        ("application/json", b'{"predictions": [1.5, 2.0]}'),
        ("application/jsonlines", b'{"prediction": 1.5}\n{"prediction": 2.0}\n'),
        ("application/x-jsonlines", b'{"prediction": 1.5}\n{"prediction": 2.0}\n'),
    ],
)
def test_writes_predictions_in_order(media_type: str, body: bytes) -> None:
    assert format_predictions([1.5, 2.0], media_type) == body
