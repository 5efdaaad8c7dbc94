"""Signatures: botocore's own are right, and nothing else is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from headrace.local.engine.credentials import AccessKey, make_key
from headrace.local.engine.signatures import Fault, SentRequest, SignatureError, authenticate
from tests.headrace.local.engine.sent_requests import ENDPOINT, OWNER, PORT, connect, make_request, take

TEMPORARY = make_key("ASIA")
HARD_KEY = "a b+c(é)~%41//x/../.txt"


def find_key(key_id: str) -> AccessKey | None:
    return {key.key_id: key for key in (OWNER, TEMPORARY)}.get(key_id)


def find_fault(request: SentRequest, now: datetime | None = None) -> Fault:
    with pytest.raises(SignatureError) as refused:
        authenticate(request, find_key, now)
    return refused.value.fault


CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("s3", "list_buckets", {}),
    ("s3", "get_object", {"Bucket": "raw", "Key": HARD_KEY, "Range": "bytes=0-1"}),
    ("s3", "put_object", {"Bucket": "raw", "Key": HARD_KEY, "Body": b"rows", "Metadata": {"a": "b   c"}}),
    ("s3", "list_objects_v2", {"Bucket": "raw", "Prefix": "a b+c&d=é/", "Delimiter": "/"}),
    ("sts", "get_caller_identity", {}),
    ("ec2", "describe_vpcs", {"VpcIds": ["vpc-1"]}),
    ("sagemaker", "list_models", {"NameContains": "é"}),
    ("lambda", "get_function", {"FunctionName": "arn:aws:lambda:us-east-1:000000000000:function:f"}),
    ("sagemaker-runtime", "invoke_endpoint", {"EndpointName": "e", "Body": b"\x00\xff"}),
    ("cloudwatch", "list_metrics", {}),
]


@pytest.mark.parametrize("key", [OWNER, TEMPORARY], ids=["owner", "temporary"])
@pytest.mark.parametrize(("service", "operation", "parameters"), CALLS)
def test_takes_what_a_stock_client_signs(
    service: str, operation: str, parameters: dict[str, Any], key: AccessKey
) -> None:
    request = take(connect(service, key), operation, **parameters)

    assert authenticate(request, find_key) == key


@pytest.mark.parametrize("version", ["s3v4", "s3", None])
@pytest.mark.parametrize("key", [OWNER, TEMPORARY], ids=["owner", "temporary"])
@pytest.mark.parametrize("style", ["path", "virtual"])
def test_takes_what_a_stock_client_presigns(version: str | None, key: AccessKey, style: str) -> None:
    options = {"signature_version": version} if version else {}
    client = connect("s3", key, s3={"addressing_style": style}, **options)
    parameters = {"Bucket": "raw", "Key": HARD_KEY, "ResponseContentType": "text/x y"}
    url = client.generate_presigned_url("get_object", parameters)
    host = url.split("/")[2]
    # A name below localhost stands for the bucket there.
    request = make_request("GET", url, {"Host": host.replace("127.0.0.1", "localhost")} if version == "s3" else {})

    assert authenticate(request, find_key) == key


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.dictionaries(st.text("ab é&=+%/", min_size=1, max_size=5), st.text("ab é&=+%/", max_size=5), max_size=4),
)
def test_agrees_with_botocore_on_any_path_and_query(path: str, query: dict[str, str]) -> None:
    pairs = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query.items())
    url = f"{ENDPOINT}/{quote(path)}" + (f"?{pairs}" if pairs else "")
    signed = AWSRequest("POST", url, data=b"body")
    SigV4Auth(Credentials(OWNER.key_id, OWNER.secret), "lambda", "us-east-1").add_auth(signed)
    request = make_request("POST", url, dict(signed.headers.items()), b"body")

    assert authenticate(request, find_key) == OWNER


@pytest.mark.parametrize("key", ["images/test.png", "images/a photo+ä.jpg", "images/50%25 (1).jpg"])
def test_takes_what_a_stock_client_signs_for_an_access_point_of_object_lambda(key: str) -> None:
    arn = "arn:aws:s3-object-lambda:us-east-1:000000000000:accesspoint/training"

    request = take(connect("s3"), "get_object", Bucket=arn, Key=key)

    assert request.headers["host"] == f"training-000000000000.127.0.0.1:{PORT}"
    assert authenticate(request, find_key) is not None


@pytest.mark.parametrize("credentials", [("test", "test"), ("123456789012", OWNER.secret), ("", "x")])
def test_refuses_a_key_that_is_not_known(credentials: tuple[str, str]) -> None:
    key_id, secret = credentials
    request = take(connect("sts", AccessKey(key_id=key_id or "AKIA2", secret=secret)), "get_caller_identity")

    assert find_fault(request) == Fault.UNKNOWN_KEY


@pytest.mark.parametrize("service", ["s3", "sts", "sagemaker"])
def test_refuses_a_wrong_secret(service: str) -> None:
    operation = {"s3": "list_buckets", "sts": "get_caller_identity", "sagemaker": "list_models"}[service]
    request = take(connect(service, replace(OWNER, secret="test")), operation)

    assert find_fault(request) == Fault.WRONG_SIGNATURE


def test_refuses_a_request_that_is_not_signed() -> None:
    for headers in ({}, {"Authorization": "Basic dTpw"}, {"Authorization": "Bearer x"}, {"Authorization": ""}):
        assert find_fault(make_request("GET", f"{ENDPOINT}/", headers)) in (Fault.MISSING, Fault.MALFORMED)


def change(request: SentRequest, **headers: str) -> SentRequest:
    """A request with other headers; underscores stand for hyphens."""
    return replace(
        request, headers={**request.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
    )


def test_refuses_what_was_changed_after_it_was_signed() -> None:
    request = take(connect("sagemaker"), "list_models", MaxResults=1)
    changed = {
        "body": replace(request, body=b"{}"),
        "path": replace(request, path="/other"),
        "query": replace(request, query={"Action": ["x"]}),
        "method": replace(request, method="PUT"),
        "target": change(request, x_amz_target="SageMaker.CreateModel"),
        "host": change(request, host="localhost"),
        "added header": change(request, x_amz_tagging="a=b"),
    }

    assert {name: find_fault(sent) for name, sent in changed.items()} == dict.fromkeys(changed, Fault.WRONG_SIGNATURE)


def test_refuses_a_body_that_is_not_the_one_its_signed_hash_tells_of() -> None:
    request = take(connect("s3"), "put_object", Bucket="raw", Key="a", Body=b"rows")

    assert find_fault(replace(request, body=b"other")) == Fault.OTHER_BODY


def test_refuses_a_presigned_address_for_anything_but_what_it_is_for() -> None:
    url = connect("s3", signature_version="s3v4").generate_presigned_url("get_object", {"Bucket": "raw", "Key": "a"})
    request = make_request("GET", url)

    assert find_fault(replace(request, path="/raw/b")) == Fault.WRONG_SIGNATURE
    assert find_fault(replace(request, method="DELETE")) == Fault.WRONG_SIGNATURE
    assert find_fault(change(request, x_amz_target="SageMaker.ListModels")) == Fault.WRONG_SIGNATURE


@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_refuses_a_presigned_address_that_has_expired_or_was_changed(version: str) -> None:
    client = connect("s3", signature_version=version)
    url = client.generate_presigned_url(
        "get_object", {"Bucket": "raw", "Key": "a"}, ExpiresIn=0 if version == "s3" else 1
    )
    expired = make_request("GET", url)
    fresh = make_request("GET", client.generate_presigned_url("get_object", {"Bucket": "raw", "Key": "a"}))

    if version == "s3":
        expired = replace(expired, query={**expired.query, "Expires": ["1"]})
    assert find_fault(expired, datetime.now(UTC) + timedelta(seconds=5)) == Fault.EXPIRED_ADDRESS
    assert find_fault(replace(fresh, path="/raw/b")) == Fault.WRONG_SIGNATURE


@pytest.mark.parametrize("expires", ["", "0", "604801", "-1", "1e3", "٣", "9" * 5000])
def test_refuses_a_presigned_address_that_would_last_too_long_or_for_no_time(expires: str) -> None:
    url = connect("s3", signature_version="s3v4").generate_presigned_url("get_object", {"Bucket": "raw", "Key": "a"})
    request = make_request("GET", url)

    assert find_fault(replace(request, query={**request.query, "X-Amz-Expires": [expires]})) == Fault.MALFORMED


@pytest.mark.parametrize("minutes", [-20, 20])
def test_refuses_a_request_that_was_signed_at_another_time(minutes: int) -> None:
    now = datetime.now(UTC) + timedelta(minutes=minutes)

    assert find_fault(take(connect("s3"), "list_buckets"), now) == Fault.SKEWED_CLOCK
    assert find_fault(take(connect("sagemaker"), "list_models"), now) == Fault.SKEWED_CLOCK


def test_refuses_an_address_that_was_presigned_in_the_future() -> None:
    url = connect("s3", signature_version="s3v4").generate_presigned_url("get_object", {"Bucket": "raw", "Key": "a"})

    assert find_fault(make_request("GET", url), datetime.now(UTC) - timedelta(hours=1)) == Fault.EXPIRED_ADDRESS


def test_refuses_a_temporary_key_without_its_token_and_a_lasting_one_with_a_token() -> None:
    forgotten = take(connect("sts", replace(TEMPORARY, session_token=None)), "get_caller_identity")
    made_up = take(connect("sts", replace(OWNER, session_token="x")), "get_caller_identity")

    assert (find_fault(forgotten), find_fault(made_up)) == (Fault.WRONG_TOKEN, Fault.WRONG_TOKEN)


@pytest.mark.parametrize(
    "authorization",
    [
        "AWS4-HMAC-SHA256 ",
        "AWS4-HMAC-SHA256 Credential=AKIA",
        "AWS4-HMAC-SHA256 Credential=a/b/c, SignedHeaders=host, Signature=0",
        "AWS4-HMAC-SHA256 Credential=AKIA/20261128/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0",
    ],
)
def test_refuses_a_signature_that_lacks_something(authorization: str) -> None:
    request = make_request("GET", f"{ENDPOINT}/", {"Authorization": authorization, "X-Amz-Date": "yesterday"})

    assert find_fault(request) == Fault.MALFORMED


@pytest.mark.parametrize("date", ["20261399T999999Z", "00000000T000000Z", "²0261128T000000Z", "2026111T000000Z"])
def test_refuses_a_date_that_there_is_not(date: str) -> None:
    url = connect("s3", signature_version="s3v4").generate_presigned_url("get_object", {"Bucket": "raw", "Key": "a"})
    presigned = make_request("GET", url)

    assert find_fault(replace(presigned, query={**presigned.query, "X-Amz-Date": [date]})) == Fault.MALFORMED
    assert find_fault(change(take(connect("sts"), "get_caller_identity"), x_amz_date=date)) == Fault.MALFORMED


def test_refuses_what_cannot_be_read() -> None:
    request = take(connect("sts"), "get_caller_identity")
    authorization = request.headers["authorization"]
    older = make_request(
        "GET",
        connect("s3", signature_version="s3").generate_presigned_url("get_object", {"Bucket": "raw", "Key": "a"}),
    )
    early = {name: value for name, value in request.headers.items() if name != "x-amz-date"}

    assert find_fault(change(request, authorization=f"{authorization[:-1]}é")) == Fault.MALFORMED
    assert find_fault(replace(older, query={**older.query, "Expires": ["9" * 5000]})) == Fault.MALFORMED
    assert find_fault(replace(request, headers={**early, "date": "Fri, 31 Dec 9999 23:59:59 -1200"})) == Fault.MALFORMED


def sign_chunks(*chunks: bytes) -> SentRequest:
    """A body in signed chunks, as AWS's other SDKs send large ones."""
    from ministack.core import sigv4

    marker = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    signed = AWSRequest("PUT", f"{ENDPOINT}/raw/a", headers={"x-amz-content-sha256": marker})
    signer = _ChunkSigner(Credentials(OWNER.key_id, OWNER.secret), "s3", "us-east-1")
    signer.add_auth(signed)
    previous = signed.headers["Authorization"].rpartition("Signature=")[2]
    stamp = signed.headers["X-Amz-Date"]
    key = sigv4.derive_signing_key(OWNER.secret, stamp[:8], "us-east-1", "s3")
    body = b""
    for chunk in (*chunks, b""):
        previous = _sign_chunk(key, stamp, previous, chunk)
        body += f"{len(chunk):x};chunk-signature={previous}\r\n".encode() + chunk + b"\r\n"
    return make_request("PUT", f"{ENDPOINT}/raw/a", dict(signed.headers.items()), body)


class _ChunkSigner(SigV4Auth):  # type: ignore[misc]
    def payload(self, request: Any) -> str:
        return str(request.headers["x-amz-content-sha256"])


def _sign_chunk(key: bytes, stamp: str, previous: str, chunk: bytes) -> str:
    import hashlib
    import hmac

    empty = hashlib.sha256(b"").hexdigest()
    scope = f"{stamp[:8]}/us-east-1/s3/aws4_request"
    lines = ["AWS4-HMAC-SHA256-PAYLOAD", stamp, scope, previous, empty, hashlib.sha256(chunk).hexdigest()]
    return hmac.new(key, "\n".join(lines).encode(), hashlib.sha256).hexdigest()


def test_takes_a_body_in_signed_chunks_and_refuses_a_changed_one() -> None:
    request = sign_chunks(b"first", b"second")

    assert authenticate(request, find_key) == OWNER
    assert find_fault(replace(request, body=request.body.replace(b"second", b"sekond"))) == Fault.WRONG_SIGNATURE
