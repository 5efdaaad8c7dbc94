from types import ModuleType

from headrace.normalizer import errors as of_photographs
from headrace.normalizer.errors import NormalizeError
from headrace.transformations.text import errors as of_texts


def list_codes(module: ModuleType) -> set[str]:
    return {kind.code for kind in NormalizeError.__subclasses__() if kind.__module__ == module.__name__}


def test_codes_are_those_that_callers_know() -> None:
    assert list_codes(of_texts) == {"NotText", "TextEmpty", "TextTooComplex", "TextTooLong", "TextUndecodable"}
    assert list_codes(of_photographs) == {
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
