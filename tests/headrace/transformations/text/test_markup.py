"""Of HTML the words are left, a line for each block; hostile markup is data, and becomes nothing but text."""

import html

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headrace.transformations.text.errors import TextTooComplexError
from headrace.transformations.text.markup import remove_markup
from tests.examples import count_examples

PAGE = """<!DOCTYPE html PUBLIC "-//W3C//DTD HTML 4.01//EN"><title>Caf&eacute; &amp; Bar</title>
<style>p { color: red }</style><script>if (a<b && c) x("</p>")</script><!-- it's <b -->
<p class="a" href='x>y'>one <b>two</b>
   three &lt;four&gt;<br>five</p><ul><li>six<li>seven</ul><table><tr><td>8<td>9</table>5 < 6"""


def read_lines(document: str) -> list[str]:
    return [" ".join(line.split()) for line in remove_markup(document).splitlines() if line.strip()]


def test_leaves_the_words_of_a_page() -> None:
    assert read_lines(PAGE) == ["Café & Bar", "one two three <four>", "five", "six", "seven", "8 9", "5 < 6"]


def test_leaves_white_space_within_pre_as_it_is() -> None:
    assert "\nif x:\n    y\n" in remove_markup("<p>a\n b</p><pre>if x:\n    y</pre>")


@pytest.mark.parametrize(
    "document",
    [
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)><script>alert(1)</script></svg>",
        "<scr<script>ipt>",
        "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "<template><p>hidden</template>",
    ],
)
def test_shows_nothing_of_what_is_no_words(document: str) -> None:
    assert "alert(1)" not in remove_markup(f"{document}words").replace("'>", "")
    assert "hidden" not in remove_markup(document)


def test_writes_half_a_character_as_what_stands_for_it() -> None:
    assert remove_markup("&#xD800;&#0;&#x110000;") == "\ufffd" * 3


def test_refuses_no_page_for_many_words() -> None:
    assert len(remove_markup('<p class="book" title="a">' + "word " * 500_000).split()) == 500_000


def test_refuses_what_might_take_long() -> None:
    with pytest.raises(TextTooComplexError, match=r"with 100000 tags and 0 references .* more than 3"):
        remove_markup("<div>" * 100_000)


@settings(max_examples=count_examples(300), deadline=None)
@given(st.text(alphabet="<>/&;!-'\"= abp"))
def test_gives_back_what_was_written_as_text(text: str) -> None:
    assert remove_markup(html.escape(text)).split() == text.split()


@settings(max_examples=count_examples(300), deadline=None)
@given(st.lists(st.sampled_from(["<p title='<td>'>", "<pre lang=a>", "</pre>", "<td a=b>", "<br/>", "<!--", "a"])))
def test_takes_no_markup_for_words(parts: list[str]) -> None:
    assert set(remove_markup("".join(parts))) <= set("a \n\t")
