"""Who gets through the door, in front of an application that notes what reaches it."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from headrace.local.engine.door import Door, Message, is_this_machine
from headrace.local.engine.signatures import SentRequest
from tests.headrace.local.engine.sent_requests import ENDPOINT, OWNER, PORT, connect, make_scope, take

CREATE = {"X-Amz-Target": "SageMaker.CreateProcessingJob", "Content-Type": "application/x-amz-json-1.1"}


@dataclass
class Services:
    """What stands behind the door; answers as the engine does, open to every origin."""

    reached: list[tuple[str, bytes]] = field(default_factory=list)

    async def __call__(self, scope: Message, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            self.reached.append(("lifespan", b""))
            return
        if scope["type"] == "websocket":
            self.reached.append((scope["path"], b"websocket"))
            await send({"type": "websocket.accept", "headers": [(b"access-control-allow-origin", b"*")]})
            return
        message = await receive()
        self.reached.append((scope["path"], message["body"]))
        headers = [(b"Access-Control-Allow-Origin", b"*"), (b"access-control-allow-headers", b"*"), (b"etag", b"1")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"done"})


@dataclass
class Visit:
    """What a caller is answered."""

    status: int
    headers: dict[str, str]
    body: bytes


@pytest.fixture
def services() -> Services:
    return Services()


@pytest.fixture
def door(services: Services) -> Door:
    return Door(
        services,
        port=PORT,
        find_key=lambda key_id: OWNER if key_id == OWNER.key_id else None,
        is_owner=lambda key_id: key_id == OWNER.key_id,
    )


def visit(door: Door, scope: Message, *body: bytes) -> Visit:
    parts = list(body or [b""])
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(door(scope, receive, send))
    start = sent[0]
    headers = {name.decode().lower(): value.decode() for name, value in start.get("headers", [])}
    return Visit(start.get("status", 0), headers, b"".join(message.get("body", b"") for message in sent[1:]))


def call(
    door: Door, method: str = "GET", path: str = "/", body: bytes = b"", headers: Mapping[str, str] | None = None
) -> Visit:
    return visit(door, make_scope(method, f"{ENDPOINT}{path}", headers), body)


def pass_on(door: Door, request: SentRequest, **headers: str) -> Visit:
    """Sends a taken request, with some headers added."""
    query = f"?{urlencode(request.query, doseq=True)}" if request.query else ""
    scope = make_scope(request.method, f"{ENDPOINT}{request.path}{query}", {**request.headers, **headers})
    return visit(door, scope, request.body)


def test_lets_a_request_of_the_owner_through_as_it_was_sent(door: Door, services: Services) -> None:
    request = take(connect("sagemaker"), "list_models", NameContains="a")

    answer = pass_on(door, request)

    assert (answer.status, answer.body) == (200, b"done")
    assert services.reached == [("/", request.body)]


def test_lets_no_header_out_that_opens_an_answer_to_pages_of_other_origins(door: Door) -> None:
    answer = pass_on(door, take(connect("s3"), "list_buckets"))

    assert answer.headers == {"etag": "1", "content-security-policy": "sandbox", "x-content-type-options": "nosniff"}


@pytest.mark.parametrize(("path", "host"), [("/_headrace/x", f"127.0.0.1:{PORT}"), ("/_headrace", f"localhost:{PORT}")])
def test_leaves_its_page_to_decide_whom_it_lets_in(services: Services, path: str, host: str) -> None:
    door = Door(Services(), port=PORT, find_key=lambda _: None, page=services)

    assert call(door, "GET", path, headers={"Host": host}).status == 200
    assert services.reached == [(path, b"")]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "rebound.example"},
        {"Host": "127.0.0.1:9999"},
        {"Host": f"bucket.localhost:{PORT}"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=["rebinding", "other port", "key of a bucket", "page of another port", "other site"],
)
def test_keeps_strangers_from_its_page(services: Services, headers: dict[str, str]) -> None:
    door = Door(Services(), port=PORT, find_key=lambda _: None, page=services)

    assert call(door, "GET", "/_headrace/", headers=headers).status == 403
    assert not services.reached


def test_refuses_whoever_has_no_key_before_any_service(door: Door, services: Services) -> None:
    answers = [
        call(door, "POST", headers=CREATE, body=b"{}"),
        call(door, "POST", body=b"Action=ListRoles", headers={"Content-Type": "application/x-www-form-urlencoded"}),
        call(door, "GET", "/raw/a.txt"),
        call(door, "PUT", "/raw"),
        call(door, "OPTIONS", "/"),
        call(door, "POST", "/_ministack/reset"),
        call(door, "GET", "/_ministack/lambda-code/f"),
        call(door, "POST", "/_ministack/config", body=b"{}"),
        call(door, "GET", "/_aws/lambda-url/abc/"),
        call(door, "GET", "/v2/"),
        call(door, "DELETE", "/_ministack/health"),
    ]

    assert [answer.status in (400, 403) for answer in answers] == [True] * len(answers)
    assert services.reached == []


def test_lets_a_request_through_that_was_sent_as_to_a_proxy(door: Door, services: Services) -> None:
    request = take(connect("s3"), "list_objects_v2", Bucket="raw")
    scope = make_scope(
        request.method, f"{ENDPOINT}{request.path}?{urlencode(request.query, doseq=True)}", request.headers
    )
    as_to_a_proxy = {**scope, "raw_path": f"http://{request.headers['host']}{request.path}".encode()}

    assert visit(door, as_to_a_proxy, request.body).status == 200
    assert services.reached == [("/raw", b"")]


@pytest.mark.parametrize("path", ["http://evil.example/raw", "http://127.0.0.1", "https://127.0.0.1:4566/raw"])
def test_takes_no_request_for_another_hosts_address_for_its_own(door: Door, services: Services, path: str) -> None:
    request = take(connect("s3"), "list_objects_v2", Bucket="raw")
    scope = make_scope(
        request.method, f"{ENDPOINT}{request.path}?{urlencode(request.query, doseq=True)}", request.headers
    )

    assert visit(door, {**scope, "raw_path": path.encode(), "path": path}, request.body).status == 403
    assert services.reached == []


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        f"evil.example:{PORT}",
        "127.0.0.1:1",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "",
        "x y",
    ],
)
def test_refuses_a_host_that_is_not_this_machine_even_with_the_key(door: Door, services: Services, host: str) -> None:
    answer = pass_on(door, take(connect("sagemaker"), "list_models"), host=host)

    assert (answer.status, services.reached) == (403, [])
    assert "the local cloud answers to 127.0.0.1, localhost and names below them" in json.loads(answer.body)["message"]


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://localhost",
        f"http://localhost:{PORT}",
        f"https://127.0.0.1:{PORT}",
        "",
        "file://",
    ],
)
def test_refuses_web_pages_of_other_origins_even_with_the_key(door: Door, services: Services, origin: str) -> None:
    answer = pass_on(door, take(connect("sagemaker"), "list_models"), origin=origin)

    assert (answer.status, services.reached) == (403, [])
    assert "access-control-allow-origin" not in answer.headers


def test_refuses_what_a_browser_calls_cross_site(door: Door, services: Services) -> None:
    answer = pass_on(door, take(connect("s3"), "list_buckets"), **{"sec-fetch-site": "cross-site"})

    assert (answer.status, services.reached) == (403, [])


def test_lets_the_clouds_own_origin_through(door: Door) -> None:
    answer = pass_on(door, take(connect("s3"), "list_buckets"), origin=ENDPOINT, **{"sec-fetch-site": "same-origin"})

    assert answer.status == 200


def test_grants_no_preflight(door: Door, services: Services) -> None:
    preflight = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-amz-target,content-type",
    }

    answer = call(door, "OPTIONS", headers=preflight)

    assert (answer.status, services.reached) == (403, [])
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_tells_anybody_on_this_machine_that_it_is_up_but_no_web_page(door: Door, services: Services) -> None:
    health = "/_ministack/health"

    statuses = [
        call(door, "GET", health).status,
        call(door, "GET", health, headers={"Origin": "https://evil.example"}).status,
        call(door, "GET", health, headers={"Host": "evil.example"}).status,
    ]

    assert statuses == [200, 403, 403]


def test_takes_an_answer_at_an_address_that_cloudformation_gave_out(door: Door, services: Services) -> None:
    path = "/_ministack/cfn-response/0b6b5a3e-7f5c-4b39-9f3c-1d5b7c1a2e11"

    assert call(door, "PUT", path, b"{}").status == 200
    assert call(door, "GET", path).status == 403
    assert services.reached == [(path, b"{}")]


def test_checks_the_whole_of_a_body_that_comes_in_parts(door: Door, services: Services) -> None:
    request = take(connect("s3"), "put_object", Bucket="raw", Key="a", Body=b"x" * (3 << 20))
    scope = make_scope("PUT", f"{ENDPOINT}{request.path}", request.headers)

    whole = visit(door, scope, request.body[: 1 << 20], request.body[1 << 20 :])
    changed = visit(door, scope, request.body[1:], b"y")

    assert (whole.status, changed.status) == (200, 400)
    assert services.reached == [("/raw/a", request.body)]


def test_keeps_nothing_of_a_strangers_body(door: Door, services: Services) -> None:
    answer = visit(door, make_scope("PUT", f"{ENDPOINT}/raw/a"), *[b"x" * 1000] * 100)

    assert (answer.status, services.reached) == (403, [])


def test_answers_a_head_request_without_a_body(door: Door) -> None:
    assert call(door, "HEAD", "/raw/a").body == b""


def make_upgrade(url: str, **headers: str) -> Message:
    scope = make_scope("GET", url, headers)
    del scope["method"]
    return {**scope, "type": "websocket"}


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://evil.example"}, {"Host": "evil.example"}])
def test_refuses_a_web_socket_of_a_stranger(door: Door, services: Services, headers: dict[str, str]) -> None:
    visit(door, make_upgrade(f"{ENDPOINT}/_aws/execute-api/a/b", **headers))

    assert services.reached == []


def test_opens_a_web_socket_at_a_presigned_address(door: Door, services: Services) -> None:
    url = connect("s3", signature_version="s3v4").generate_presigned_url("get_object", {"Bucket": "raw", "Key": "a"})

    answer = visit(door, make_upgrade(url))

    assert services.reached == [("/raw/a", b"websocket")]
    assert answer.headers == {}


@pytest.mark.parametrize("key", ["_ministack/reset", "_aws/lambda-url/id/", "_ministack/config"])
@pytest.mark.parametrize("version", ["s3v4", "s3"])
def test_leads_no_address_presigned_for_s3_to_the_engine(
    door: Door, services: Services, version: str, key: str
) -> None:
    client = connect("s3", signature_version=version)
    url = client.generate_presigned_url("create_multipart_upload", {"Bucket": "raw", "Key": key})
    in_host = url.replace(f"{ENDPOINT}/raw", f"http://raw.localhost:{PORT}")

    answer = visit(door, make_scope("POST", in_host))

    assert (answer.status, services.reached) == (403, [])
    assert b"only if the bucket is in the path" in answer.body


def test_lets_the_server_start_and_stop_the_services(door: Door, services: Services) -> None:
    async def nothing(*_: Message) -> Message:
        return {}

    asyncio.run(door({"type": "lifespan"}, nothing, nothing))  # type: ignore[arg-type]

    assert services.reached == [("lifespan", b"")]


@pytest.mark.parametrize(
    ("host", "known"),
    [
        (f"127.0.0.1:{PORT}", True),
        ("localhost", True),
        (f"LOCALHOST:{PORT}", True),
        (f"[::1]:{PORT}", True),
        (f"raw.s3.localhost:{PORT}", True),
        (f"abc.lambda-url.us-east-1.localhost:{PORT}", True),
        (f"0.0.0.0:{PORT}", False),
        (f"localhost:{PORT}.evil.example", False),
        (f"evil.example#localhost:{PORT}", False),
        (f"evillocalhost:{PORT}", False),
        (f"localhost.localstack.cloud:{PORT}", False),
    ],
)
def test_knows_the_names_that_lead_nowhere_else(host: str, known: bool) -> None:
    assert is_this_machine(host, PORT) == known


def test_lets_nothing_through_that_may_be_read_as_two_operations(door: Door, services: Services) -> None:
    request = take(connect("sts"), "assume_role", RoleArn="r" * 20, RoleSessionName="session")
    client = connect("s3")
    client.meta.events.register(
        "before-sign", lambda request, **_: setattr(request, "url", f"{request.url}?Action=Get")
    )

    answer = pass_on(door, take(client, "delete_object", Bucket="b", Key="a"))

    assert (answer.status, services.reached) == (400, [])
    assert b"what AWS's clients send" in answer.body
    assert pass_on(door, request).status == 200


@pytest.mark.parametrize(("service", "status"), [("lambda", 200), ("execute-api", 403), ("sts", 403)])
def test_lets_requests_for_functions_through_that_are_signed_for_lambda(door: Door, service: str, status: int) -> None:
    request = AWSRequest("GET", f"{ENDPOINT}/_aws/lambda-url/abc/")
    SigV4Auth(Credentials(OWNER.key_id, OWNER.secret), service, "us-east-1").add_auth(request)

    assert call(door, path="/_aws/lambda-url/abc/", headers=dict(request.headers.items())).status == status


@pytest.mark.parametrize(("service", "status"), [("execute-api", 200), ("apigateway", 403), ("lambda", 403)])
def test_lets_requests_for_apis_through_that_are_signed_for_them(door: Door, service: str, status: int) -> None:
    path = "/_aws/execute-api/abc/live/bigmart/invocations"
    request = AWSRequest("POST", f"{ENDPOINT}{path}", data=b"1,2")
    SigV4Auth(Credentials(OWNER.key_id, OWNER.secret), service, "us-east-1").add_auth(request)

    assert call(door, "POST", path, headers=dict(request.headers.items()), body=b"1,2").status == status
