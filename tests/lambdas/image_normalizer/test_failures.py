"""Errors keep S3's words, within what S3 Object Lambda passes on."""

import pytest

from headrace.normalizer.errors import PhotographTruncatedError
from lambdas.image_normalizer.failures import RefusalError, explain, pass_on, read_s3_error


def test_explains_an_image_that_is_refused() -> None:
    explained = explain(PhotographTruncatedError("it ends too early"))

    assert (explained.status, explained.code, explained.reason) == (400, "PhotographTruncated", "it ends too early")


def test_reads_the_error_that_s3_has_written() -> None:
    found = read_s3_error(403, b"<Error><Code>InvalidObjectState</Code><Message>archived</Message></Error>")

    assert (found.status, found.code, found.reason) == (403, "InvalidObjectState", "archived")


def test_reads_a_message_as_its_author_wrote_it() -> None:
    document = b"<Error><Code>InvalidRequest</Code><Message>on &quot;a&amp;lt;b&quot;</Message></Error>"

    assert read_s3_error(400, document).reason == 'on "a&lt;b"'


def test_names_an_error_of_a_status_that_http_does_not_know() -> None:
    assert read_s3_error(499, b"").code == "InvalidRequest"


@pytest.mark.parametrize(("status", "code"), [(403, "AccessDenied"), (404, "NoSuchKey"), (418, "InvalidRequest")])
def test_names_an_error_without_a_body(status: int, code: str) -> None:
    assert read_s3_error(status, b"").code == code


@pytest.mark.parametrize(("status", "passed"), [(404, 404), (418, 400), (500, 503), (502, 503)])
def test_passes_on_statuses_that_s3_knows(status: int, passed: int) -> None:
    assert pass_on(status, "Code", "reason").status == passed


def test_keeps_that_it_was_asked_too_fast() -> None:
    assert pass_on(503, "SlowDown", "reason").code == "SlowDown"


def test_leaves_a_refused_request_as_it_is() -> None:
    error = RefusalError(404, "NoSuchKey", "gone")

    assert explain(error) is error


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (403, "AccessDenied", "S3 does not let this photograph be read"),
        (400, "KMS.DisabledException", "S3 answered 400"),
    ],
)
def test_keeps_accounts_and_roles_to_the_log(
    status: int, code: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "arn:aws:sts::123456789012:assumed-role/Normalizer is not allowed"
    document = f"<Error><Code>{code.replace('.', '')}</Code><Message>{text}</Message></Error>"

    assert read_s3_error(status, document.encode()).reason == reason
    assert text in capsys.readouterr().err


def test_explains_a_failure_of_its_own_without_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    explained = explain(KeyError("secret"))

    assert (explained.status, explained.code) == (500, "NormalizerFailed")
    assert "secret" not in explained.reason
    assert "KeyError: 'secret'" in capsys.readouterr().err
