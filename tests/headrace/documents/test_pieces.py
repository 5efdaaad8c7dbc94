"""Texts are cut into pieces that Comprehend takes, and nothing of them is lost."""

from hypothesis import given
from hypothesis import strategies as st

from headrace.documents.pieces import split_lines

LINES = st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=40), max_size=12)


@given(LINES, st.integers(4, 60))
def test_keeps_every_character_but_spaces_in_pieces_that_are_small_enough(lines: list[str], most: int) -> None:
    pieces = list(split_lines(lines, most))

    assert all(0 < len(piece.encode()) <= most for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join("".join(lines).split())


def test_puts_whole_lines_together() -> None:
    assert list(split_lines(["one", "", "two", "three"], 8)) == ["one\ntwo", "three"]


def test_cuts_a_long_line_between_words_and_a_long_word_between_characters() -> None:
    assert list(split_lines(["äöü äöü"], 6)) == ["äöü", "äöü"]
    assert list(split_lines(["äöüäöü"], 5)) == ["äö", "üä", "öü"]
