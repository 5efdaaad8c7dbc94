"""How values are shown."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from headrace.local.page.rendering import (
    find_mood,
    show,
    show_bytes,
    show_json,
    show_number,
    show_seconds,
    show_text,
    show_time,
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0421, "42 ms"),
        (1, "1.0 s"),
        (59.94, "59.9 s"),
        (61, "1 min 1 s"),
        (timedelta(hours=2, minutes=5), "2 h 5 min"),
        (None, ""),
    ],
)
def test_shows_durations_with_their_unit(value: float | timedelta | None, shown: str) -> None:
    assert show_seconds(value) == shown


@pytest.mark.parametrize(
    ("count", "shown"), [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (5 << 40, "5120.0 GiB"), (None, "")]
)
def test_shows_sizes_with_their_unit(count: int | None, shown: str) -> None:
    assert show_bytes(count) == shown


def test_shows_times_in_utc_for_the_script_to_turn() -> None:
    when = datetime(2026, 11, 29, 5, 30, 1, 250_000, tzinfo=timezone(timedelta(hours=2)))

    assert show_time(when) == '<time datetime="2026-11-29T03:30:01.250+00:00">2026-11-29 03:30:01 UTC</time>'
    assert show_time(None) == ""


def test_shows_numbers_as_people_read_them() -> None:
    assert [show_number(value) for value in (1054.123456789, 0.1, 3, "text")] == ["1,054.12", "0.1", 3, "text"]


def test_shows_one_line_without_what_steers_the_eye() -> None:
    assert show("a\u202eb\x1b[31m\r\n\ud83d") == "a\\u202eb\\x1b[31m\\r\\n\\ud83d"
    assert show(None) == ""


def test_shows_the_beginning_of_what_does_not_end() -> None:
    assert show("x" * 5_000) == "x" * 4_000 + "… (5,000 characters)"
    assert show_text("<\n" * 40_000).endswith("\n… (80,000 characters)")


def test_shows_lines_as_lines() -> None:
    assert show_text("<a>\r\n\tb\x00") == "&lt;a&gt;\n    b\\x00"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ('{"a":[1]}', "{\n  &#34;a&#34;: [\n    1\n  ]\n}"),
        ("not JSON <", "not JSON &lt;"),
        ("[" * 100_000, None),
        ({"when": datetime(2026, 1, 1, tzinfo=UTC)}, "{\n  &#34;when&#34;: &#34;2026-01-01 00:00:00+00:00&#34;\n}"),
        ('"\\ud83d"', "&#34;\\ud83d&#34;"),
    ],
)
def test_shows_json_member_by_member(value: object, shown: str | None) -> None:
    assert shown is None or show_json(value) == shown


@pytest.mark.parametrize(
    ("status", "mood"),
    [
        ("SUCCEEDED", "good"),
        ("InService", "good"),
        ("Failed", "bad"),
        ("TIMED_OUT", "bad"),
        ("InProgress", "busy"),
        ("ABORTED", "still"),
        ("PendingManualApproval", "still"),
        ("<script>", "still"),
    ],
)
def test_colours_a_status_beside_its_word(status: str, mood: str) -> None:
    assert find_mood(status) == mood
