from headrace.normalizer.errors import NormalizeError


def test_codes_are_those_that_callers_know() -> None:
    assert {kind.code for kind in NormalizeError.__subclasses__()} == {
        "BadOption",
        "EmptyBody",
        "PhotographCorrupt",
        "PhotographTooLarge",
        "PhotographTruncated",
        "NotAPhotograph",
        "TooComplex",
        "TooManyBytes",
        "UnsupportedFormat",
    }


def test_keeps_the_reason() -> None:
    assert NormalizeError("too dark").reason == "too dark"
