import pytest

from containers.shared.serving.content_types import choose_media_type, parse_content_type
from containers.shared.serving.messages import RequestError

FORMS = ("text/csv", "application/json", "application/jsonlines", "application/x-jsonlines")


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
    ],
)
def test_chooses_what_the_caller_likes_best(accept: str, media_type: str) -> None:
    assert choose_media_type(accept, FORMS) == media_type


@pytest.mark.parametrize(
    "accept", ["", "*/*", "application/json", "application/*", "text/csv, application/json;q=0.5", "APPLICATION/JSON"]
)
def test_finds_the_only_form_among_what_the_caller_takes(accept: str) -> None:
    assert choose_media_type(accept, ("application/json",)) == "application/json"


@pytest.mark.parametrize("accept", ["text/csv;q=0", "text/csv;q=much", "image/png", "image/*"])
def test_refuses_callers_who_take_no_form_there_is(accept: str) -> None:
    with pytest.raises(RequestError, match="accepted are text/csv, application/json, ") as refused:
        choose_media_type(accept, FORMS)

    assert refused.value.status == 406


@pytest.mark.parametrize("accept", ["text/csv", "image/*", "application/json;q=0", "application/json;q=x"])
def test_refuses_callers_who_do_not_take_the_only_form(accept: str) -> None:
    with pytest.raises(RequestError, match=r"accepted is application/json$"):
        choose_media_type(accept, ("application/json",))


def test_reads_parameters_by_their_first_value() -> None:
    found = parse_content_type('Text/CSV; Header="present"; charset=utf-8; header=absent', FORMS)

    assert found == ("text/csv", {"header": "present", "charset": "utf-8"})


def test_refuses_a_body_in_another_form() -> None:
    with pytest.raises(RequestError, match="cannot read content type 'image/png'") as refused:
        parse_content_type("image/png", FORMS)

    assert refused.value.status == 415
