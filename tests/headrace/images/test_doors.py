"""Every door asks for a normalized image as AWS wants to be asked, and knows permanent from temporary failures."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.credentials import Credentials
from botocore.exceptions import CredentialRetrievalError
from PIL import Image

from headrace.images.addresses import Address, DoorError, DoorKind
from headrace.images.doors import FolderDoor, FunctionUrlDoor, ObjectLambdaDoor, open_door
from headrace.images.errors import (
    NormalizedImageRefusedError,
    NormalizedImageThrottledError,
    NormalizedImageUnavailableError,
)
from tests.headrace.normalizer.hostile_images import make_hostile_images

Answer = tuple[int, dict[str, str], bytes]


@contextmanager
def answering(*answers: Answer) -> Iterator[tuple[str, list[tuple[str, dict[str, str]]]]]:
    """A server with these answers; its address, and the paths and headers it has been asked for."""
    remaining, requests = list(answers), []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            requests.append((self.path, dict(self.headers.items())))
            status, headers, body = remaining.pop(0)
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value.replace("@", self.headers["Host"]))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Tests read `requests`."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", requests
        finally:
            server.shutdown()
            thread.join()


def refusal(status: int, code: str) -> Answer:
    return status, {}, json.dumps({"code": code, "message": "because"}).encode()


class TestFunctionUrlDoor:
    def test_asks_for_the_key_with_options_in_a_signed_request(self) -> None:
        with answering((200, {}, b"normalized")) as (url, requests):
            assert FunctionUrlDoor(url, {"width": "8"}, 1).read("images/a b+ä.jpg") == b"normalized"

        ((path, headers),) = requests
        assert path == "/images/a%20b%2B%C3%A4.jpg?width=8"
        assert "/lambda/aws4_request" in headers["Authorization"]

    def test_signs_for_the_region_in_the_url(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

        door = FunctionUrlDoor("https://abc.lambda-url.eu-west-1.on.aws/", {}, 1)

        assert door._region == "eu-west-1"

    def test_needs_a_region_to_sign_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("AWS_DEFAULT_REGION")

        with pytest.raises(DoorError, match="does not name the region to sign requests for; set AWS_DEFAULT_REGION"):
            FunctionUrlDoor("https://images.example.com/", {}, 1)

    def test_may_ask_again_when_credentials_are_late(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(_: Credentials) -> None:
            raise CredentialRetrievalError(provider="container-role", error_msg="busy")

        monkeypatch.setattr(Credentials, "get_frozen_credentials", fail)

        with pytest.raises(NormalizedImageUnavailableError, match="CredentialRetrievalError"):
            FunctionUrlDoor("http://127.0.0.1:1/", {}, 1).read("a")

    def test_follows_to_a_large_normalized_image_without_signing_again(self) -> None:
        with answering((303, {"Location": "http://@/large?signed"}, b""), (200, {}, b"large")) as (url, requests):
            assert FunctionUrlDoor(url, {}, 1).read("a") == b"large"

        assert requests[1][0] == "/large?signed"
        assert "Authorization" not in requests[1][1]

    @pytest.mark.parametrize(("status", "code"), [(404, "NoSuchKey"), (400, "NotAPhotograph"), (403, "AccessDenied")])
    def test_tells_what_is_refused(self, status: int, code: str) -> None:
        with answering(refusal(status, code)) as (url, _), pytest.raises(NormalizedImageRefusedError) as refused:
            FunctionUrlDoor(url, {}, 1).read("a")

        assert str(refused.value) == f"a: {code}: because"

    def test_does_not_wait_for_an_image_on_which_the_normalizer_fails(self) -> None:
        with answering(refusal(500, "NormalizerFailed")) as (url, _), pytest.raises(NormalizedImageRefusedError):
            FunctionUrlDoor(url, {}, 1).read("a")

    @pytest.mark.parametrize(
        "key", ["", "/a.png", "images/../raw/a.png", "images/./a.png", "..", ".", "a/..", "\ud800.png"]
    )
    def test_refuses_a_key_to_which_no_url_leads(self, key: str) -> None:
        with answering() as (url, requests), pytest.raises(NormalizedImageRefusedError, match="BadKey"):
            FunctionUrlDoor(url, {}, 1).read(key)

        assert requests == []

    @pytest.mark.parametrize("key", ["a//b.png", "a/", "...", "a/..b/.c", "%2e%2e/a", "a?b#c;d", "a\\..\\b"])
    def test_asks_for_exactly_the_key_it_is_given(self, key: str) -> None:
        with answering((200, {}, b"normalized")) as (url, requests):
            FunctionUrlDoor(url, {}, 1).read(key)

        ((path, _),) = requests
        assert unquote(path) == f"/{key}"

    @pytest.mark.parametrize("body", [b'{"Message":"Rate Exceeded."}', b"", refusal(429, "TooManyRequests")[2]])
    def test_tells_when_it_is_turned_away(self, body: bytes) -> None:
        with answering((429, {}, body)) as (url, _), pytest.raises(NormalizedImageThrottledError):
            FunctionUrlDoor(url, {}, 1).read("a")

    @pytest.mark.parametrize("status", [500, 502, 503])
    def test_tells_what_may_come_later(self, status: int) -> None:
        with answering(refusal(status, "Busy")) as (url, _), pytest.raises(NormalizedImageUnavailableError):
            FunctionUrlDoor(url, {}, 1).read("a")

    def test_tells_what_stands_before_the_function_says(self) -> None:
        with (
            answering((403, {}, b'{"Message":"Forbidden"}')) as (url, _),
            pytest.raises(NormalizedImageRefusedError) as refused,
        ):
            FunctionUrlDoor(url, {}, 1).read("a")

        assert "Forbidden" in refused.value.reason

    def test_may_ask_again_where_nobody_answers(self) -> None:
        with pytest.raises(NormalizedImageUnavailableError):
            FunctionUrlDoor("http://127.0.0.1:1/", {}, 1).read("a")


class Raw:
    """A response's body as botocore reads it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        yield self._body

    def read(self, *_: object) -> bytes:
        body, self._body = self._body, b""
        return body


def send_to(answer: Answer) -> tuple[Callable[..., AWSResponse], list[AWSPreparedRequest]]:
    """Answers a boto3 client's requests."""
    requests: list[AWSPreparedRequest] = []

    def send(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        requests.append(request)
        status, headers, body = answer
        return AWSResponse(request.url, status, headers, Raw(body))

    return send, requests


def open_object_lambda(answer: Answer, **options: str) -> tuple[ObjectLambdaDoor, list[AWSPreparedRequest]]:
    door = ObjectLambdaDoor("normalized--ol-s3", options, 1)
    send, requests = send_to(answer)
    door._s3.meta.events.register("before-send.s3.GetObject", send)
    return door, requests


def error_document(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>because</Message></Error>".encode()


class TestObjectLambdaDoor:
    def test_asks_for_the_key_with_options_in_the_query(self) -> None:
        door, requests = open_object_lambda((200, {}, b"normalized"), width="8", fit="cover")

        assert door.read("images/a.jpg") == b"normalized"
        assert requests[0].url.endswith("/images/a.jpg?width=8&fit=cover")
        assert "normalized--ol-s3" in requests[0].url

    def test_sends_an_arns_name_in_the_host_header_where_the_endpoint_is_an_address(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        arn = "arn:aws:s3-object-lambda:us-east-1:123456789012:accesspoint/training"
        with answering((200, {}, b"normalized")) as (url, requests):
            monkeypatch.setenv("AWS_ENDPOINT_URL", url.rstrip("/"))
            assert ObjectLambdaDoor(arn, {"width": "8"}, 1).read("images/a.jpg") == b"normalized"

        ((path, headers),) = requests
        assert path == "/images/a.jpg?width=8"
        assert headers["Host"] == f"training-123456789012.{url.removeprefix('http://').rstrip('/')}"
        assert "/s3-object-lambda/aws4_request" in headers["Authorization"]

    def test_tells_what_is_refused(self) -> None:
        door, _ = open_object_lambda((404, {}, error_document("NoSuchKey")))

        with pytest.raises(NormalizedImageRefusedError, match="a: NoSuchKey: because"):
            door.read("a")

    def test_does_not_wait_for_an_image_on_which_the_normalizer_fails(self) -> None:
        door, _ = open_object_lambda((500, {}, error_document("NormalizerFailed")))

        with pytest.raises(NormalizedImageRefusedError):
            door.read("a")

    @pytest.mark.parametrize("key", ["", "\ud800.png"])
    def test_refuses_a_key_that_is_none(self, key: str) -> None:
        door, requests = open_object_lambda((200, {}, b"normalized"))

        with pytest.raises(NormalizedImageRefusedError, match="BadKey"):
            door.read(key)

        assert requests == []

    @pytest.mark.parametrize("key", ["images/../raw/a.png", "/a.png", "a/./b", "a//b"])
    def test_asks_for_exactly_the_key_it_is_given(self, key: str) -> None:
        door, requests = open_object_lambda((200, {}, b"normalized"))

        door.read(key)

        assert requests[0].url.endswith(f"amazonaws.com/{key}")

    @pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (429, "TooManyRequests")])
    def test_tells_when_it_is_turned_away(self, status: int, code: str) -> None:
        door, _ = open_object_lambda((status, {}, error_document(code)))

        with pytest.raises(NormalizedImageThrottledError):
            door.read("a")

    @pytest.mark.parametrize(("status", "code"), [(503, "ServiceUnavailable"), (400, "LambdaInvocationFailed")])
    def test_tells_what_may_come_later(self, status: int, code: str) -> None:
        door, _ = open_object_lambda((status, {}, error_document(code)))

        with pytest.raises(NormalizedImageUnavailableError):
            door.read("a")


class TestFolderDoor:
    def test_normalizes_a_file(self, tmp_path: Path) -> None:
        Image.new("RGB", (60, 40), "red").save(tmp_path / "a.png")

        door = open_door(Address(DoorKind.FOLDER, str(tmp_path)), {"output_format": "png"}, connections=1)

        assert door.read("a.png").startswith(b"\x89PNG")

    @pytest.mark.parametrize(("key", "code"), [("none.png", "NoSuchKey"), ("text.png", "NotAPhotograph")])
    def test_tells_what_is_refused(self, tmp_path: Path, key: str, code: str) -> None:
        (tmp_path / "text.png").write_text("not an image")

        with pytest.raises(NormalizedImageRefusedError) as refused:
            FolderDoor(tmp_path, {}).read(key)

        assert refused.value.code == code

    @pytest.mark.parametrize("key", ["", "../a.png", "b/../../a.png", "/etc/hostname", "./a.png", "a//b", "a/", "\0"])
    def test_refuses_a_key_that_is_no_path_below_it(self, tmp_path: Path, key: str) -> None:
        (tmp_path / "folder").mkdir()
        Image.new("RGB", (6, 4)).save(tmp_path / "a.png")

        with pytest.raises(NormalizedImageRefusedError, match="BadKey"):
            FolderDoor(tmp_path / "folder", {}).read(key)

    def test_follows_a_link_within_the_folder_and_none_out_of_it(self, tmp_path: Path) -> None:
        folder = tmp_path / "folder"
        folder.mkdir()
        Image.new("RGB", (6, 4)).save(folder / "a.png")
        Image.new("RGB", (6, 4)).save(tmp_path / "b.png")
        (folder / "within.png").symlink_to("a.png")
        (folder / "out.png").symlink_to(tmp_path / "b.png")
        (folder / "up").symlink_to(tmp_path)

        door = FolderDoor(folder, {})

        assert door.read("within.png") == door.read("a.png")
        for key in ("out.png", "up/b.png"):
            with pytest.raises(NormalizedImageRefusedError, match="BadKey: the link leads out of the folder"):
                door.read(key)

    @pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo])
    def test_refuses_what_is_not_a_file(self, tmp_path: Path, make: Callable[[Path], None]) -> None:
        make(tmp_path / "a.png")

        with pytest.raises(NormalizedImageRefusedError, match="NoSuchKey"):
            FolderDoor(tmp_path, {}).read("a.png")

    def test_refuses_a_file_that_is_too_large_without_reading_it(self, tmp_path: Path) -> None:
        with (tmp_path / "a.png").open("wb") as file:
            file.truncate(1 << 40)

        with pytest.raises(NormalizedImageRefusedError, match="TooManyBytes"):
            FolderDoor(tmp_path, {}).read("a.png")

    @pytest.mark.filterwarnings("ignore")
    def test_refuses_or_normalizes_whatever_the_files_are(self, tmp_path: Path) -> None:
        door = FolderDoor(tmp_path, {"width": "16"})
        answers = 0
        for photograph in make_hostile_images(250, seed=13):
            (tmp_path / "image").write_bytes(photograph)
            with suppress(NormalizedImageRefusedError):
                answers += bool(door.read("image"))

        assert answers > 20
