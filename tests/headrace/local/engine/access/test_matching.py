"""Patterns of policies."""

import pytest

from headrace.local.engine.access.matching import expand, match_arn, match_wildcards, unquote

VALUES = {"aws:username": "ana", "aws:PrincipalTag/team": "a*b"}


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("*", "anything", True),
        ("a/*", "a/b/c", True),
        ("a/*", "a/new\nline", True),
        ("a/*", "b", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("a.c", "abc", False),
        ("a", "a\n", False),
        ("A", "a", False),
    ],
)
def test_matches_as_policies_do(pattern: str, value: str, expected: bool) -> None:
    assert match_wildcards(pattern, value) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("home/${aws:username}/*", "home/ana/*"),
        ("${ aws:username }", "ana"),
        ("${aws:userid}", None),
        ("${aws:userid, 'guest'}", "guest"),
        ("${aws:username, 'guest'}", "ana"),
        ("plain", "plain"),
    ],
)
def test_writes_the_values_of_variables(text: str, expected: str | None) -> None:
    assert expand(text, VALUES.get) == expected


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ("${aws:PrincipalTag/team}/*", "a*b/c", True),
        ("${aws:PrincipalTag/team}/*", "axb/c", False),
        ("${*}/${?}", "*/?", True),
        ("${*}/${?}", "a/b", False),
    ],
)
def test_takes_letters_of_values_for_letters(pattern: str, value: str, expected: bool) -> None:
    expanded = expand(pattern, VALUES.get)

    assert expanded is not None
    assert match_wildcards(expanded, value) is expected


def test_reads_no_variable_in_a_value() -> None:
    expanded = expand("${aws:PrincipalTag/x}", {"aws:PrincipalTag/x": "${aws:username}"}.get)

    assert expanded is not None
    assert unquote(expanded) == "${aws:username}"


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("arn:aws:iam::000000000000:role/*", True),
        ("arn:aws:iam::*:role/ml", True),
        ("arn:aws:*:role/ml", False),
        ("arn:*:iam::*:role/*", True),
        ("arn:aws:iam::111122223333:role/ml", False),
        ("*", True),
    ],
)
def test_matches_each_part_of_an_arn_for_itself(pattern: str, expected: bool) -> None:
    assert match_arn(pattern, "arn:aws:iam::000000000000:role/ml") is expected
