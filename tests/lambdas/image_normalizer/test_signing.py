"""Requests and addresses are signed as botocore signs them, signature for signature."""

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import quote

import botocore.auth
import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotocoreCredentials
from hypothesis import given
from hypothesis import strategies as st

from lambdas.image_normalizer.signing import Credentials, Signer

NOW = 1_795_180_069.9
MOMENT = datetime.fromtimestamp(NOW, UTC)

CREDENTIALS = st.builds(
    Credentials,
    st.just("AKIDEXAMPLE"),
    st.just("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
    st.none() | st.just("IQoJb3JpZ2luX2VjEF+/token=="),
)
SERVERS = st.sampled_from(
    [
        "https://point-s3alias.s3.eu-west-1.amazonaws.com",
        "https://bucket.s3.cn-north-1.amazonaws.com.cn:443",
        "https://s3.test:8443/bucket",
        "http://127.0.0.1:4566/bucket",
        "http://localhost:80/bucket",
        "http://[::1]:4566/bucket",
    ]
)
AWKWARD_KEYS = ["", "a b", "a+b", "a%b%20c", "a//b", "/a", "~a", "../a", "./a/../b", "ä/日本.jpg", "a?b#c&d=e", "a:b@c"]
KEYS = st.sampled_from(AWKWARD_KEYS) | st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
QUERIES = st.dictionaries(
    st.text("abAB-_.~ +/=&ä", min_size=1, max_size=5), st.text("ab ~+/=&%ä", max_size=8), max_size=4
)
HEADERS = st.dictionaries(
    st.sampled_from(["If-Match", "content-type", "x-amz-fwd-status", "x-amz-fwd-error-message", "Range"]),
    st.text("abc \"'=,;/-", max_size=20),
)
REGIONS = st.sampled_from(["us-east-1", "eu-west-1", "cn-north-1"])


@pytest.fixture(autouse=True, scope="module")
def _stopped_clock() -> Iterator[None]:
    """botocore has no clock to be given."""
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(botocore.auth, "get_current_datetime", lambda: MOMENT)
        yield


def build_url(server: str, key: str, query: dict[str, str]) -> str:
    encoded = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query.items())
    return f"{server}/{quote(key)}{'?' if encoded else ''}{encoded}"


@given(CREDENTIALS, SERVERS, KEYS, QUERIES, HEADERS, st.binary(max_size=50), REGIONS, st.sampled_from(["GET", "PUT"]))
def test_signs_requests_as_botocore_does(
    credentials: Credentials,
    server: str,
    key: str,
    query: dict[str, str],
    headers: dict[str, str],
    body: bytes,
    region: str,
    method: str,
) -> None:
    url = build_url(server, key, query)
    request = AWSRequest(method, url, headers=headers, data=body)
    S3SigV4Auth(BotocoreCredentials(*credentials), "s3", region).add_auth(request)

    signed = Signer(credentials, region, "s3").sign_headers(method, url, headers, body, NOW)

    assert lower(signed) == lower(dict(request.headers))


@given(CREDENTIALS, HEADERS, st.binary(max_size=50), REGIONS)
def test_signs_replies_as_botocore_does(
    credentials: Credentials, headers: dict[str, str], body: bytes, region: str
) -> None:
    url = f"https://route.s3-object-lambda.{region}.amazonaws.com/WriteGetObjectResponse"
    hashed = {"X-Amz-Content-SHA256": hashlib.sha256(body).hexdigest()}
    request = AWSRequest("POST", url, headers=headers | hashed, data=body)
    SigV4Auth(BotocoreCredentials(*credentials), "s3-object-lambda", region).add_auth(request)

    signed = Signer(credentials, region, "s3-object-lambda").sign_headers("POST", url, headers, body, NOW)

    assert lower(signed) == lower(dict(request.headers))


@given(CREDENTIALS, SERVERS, KEYS, QUERIES, st.integers(1, 604_800), REGIONS)
def test_signs_addresses_as_botocore_does(
    credentials: Credentials, server: str, key: str, query: dict[str, str], seconds: int, region: str
) -> None:
    url = build_url(server, key, query)
    request = AWSRequest("GET", url)
    S3SigV4QueryAuth(BotocoreCredentials(*credentials), "s3", region, expires=seconds).add_auth(request)

    assert Signer(credentials, region, "s3").presign_get(url, seconds, NOW) == request.url


def test_signs_what_awss_own_example_signs() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html, "GET Object"."""
    credentials = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None)
    moment = datetime(2013, 5, 24, tzinfo=UTC).timestamp()

    signed = Signer(credentials, "us-east-1", "s3").sign_headers(
        "GET", "https://examplebucket.s3.amazonaws.com/test.txt", {"Range": "bytes=0-9"}, b"", moment
    )

    assert signed["authorization"].endswith(
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )


def test_leaves_the_headers_it_is_given_alone() -> None:
    headers = {"if-match": '"a"'}

    Signer(Credentials("a", "b", "c"), "us-east-1", "s3").sign_headers("GET", "https://s3.test/a", headers, b"", NOW)

    assert headers == {"if-match": '"a"'}


def lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
