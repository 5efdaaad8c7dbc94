from headrace.normalizer.errors import NormalizeError


def test_every_reason_has_a_code_of_its_own() -> None:
    kinds = NormalizeError.__subclasses__()

    assert len({kind.code for kind in kinds}) == len(kinds)


def test_a_code_is_the_name_without_error() -> None:
    kinds = NormalizeError.__subclasses__()

    assert [kind for kind in kinds if f"{kind.code}Error" != kind.__name__] == []


def test_keeps_the_reason() -> None:
    assert NormalizeError("too dark").reason == "too dark"
