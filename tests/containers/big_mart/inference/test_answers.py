import pytest

from containers.big_mart.inference.answers import choose_media_type, format_predictions


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("", "text/csv"),
        ("*/*", "text/csv"),
        ("text/*", "text/csv"),
        ("application/*", "application/json"),
        ("application/json", "application/json"),
        ("Application/JSON; charset=utf-8", "application/json"),
        ("application/x-jsonlines", "application/x-jsonlines"),
        ("text/csv;q=0.5, application/jsonlines", "application/jsonlines"),
        ("image/png, application/json;q=0.1", "application/json"),
        ("text/csv;q=0", None),
        ("text/csv;q=much", None),
        ("image/png", None),
    ],
)
def test_chooses_what_the_caller_likes_best(accept: str, media_type: str | None) -> None:
    assert choose_media_type(accept) == media_type


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
