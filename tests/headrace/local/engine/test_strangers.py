"""What strangers can do to a real local cloud: web pages, other users of the machine, clients with made-up keys."""

import http.client
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from headrace.local.engine import cloud as local_cloud
from headrace.local.engine.cloud import LocalCloud
from tests.local_clouds import make_role, running_with_object
from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.slow

NOBODY = 65534
ORIGIN = {"Origin": "https://evil.example"}
FOREIGN = {"Host": "evil.example", **ORIGIN}
JOB = json.dumps(
    {
        "ProcessingJobName": "drive-by",
        "RoleArn": "arn:aws:iam::000000000000:role/x",
        "AppSpecification": {"ImageUri": "image", "ContainerEntrypoint": ["/bin/sh", "-c", "id > proof.txt"]},
        "ProcessingResources": {
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.large", "VolumeSizeInGB": 1}
        },
    }
)
CREATE = {"X-Amz-Target": "SageMaker.CreateProcessingJob", "Content-Type": "application/x-amz-json-1.1"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PREFLIGHT = {
    **ORIGIN,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "x-amz-target,content-type",
}


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    """A local cloud with an object in it."""
    with running_with_object(tmp_path_factory.mktemp("cloud"), "a.txt", b"rows") as started:
        yield started


def ask(cloud: LocalCloud, method: str, path: str, body: str = "", **headers: str) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", cloud.port, timeout=PATIENCE_SECONDS)
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    told = {name.lower(): value for name, value in response.getheaders()}
    answer = response.status, told, response.read().decode()
    connection.close()
    return answer


@pytest.mark.parametrize(
    ("method", "headers", "body"),
    [
        ("OPTIONS", PREFLIGHT, ""),
        ("POST", {**CREATE, **FOREIGN}, JOB),
        ("POST", {**CREATE, **ORIGIN}, JOB),
        ("POST", {**CREATE, "Host": "evil.example"}, JOB),
        ("POST", {**CREATE, "Origin": "null"}, JOB),
        ("POST", CREATE, JOB),
        ("POST", {**FORM, **ORIGIN}, "Action=ListRoles&Version=2010-05-08"),
        ("POST", FORM, "Action=ListRoles&Version=2010-05-08"),
        ("GET", {"Host": "rebound.example"}, ""),
    ],
    ids=["preflight", "drive-by", "origin", "host", "sandbox", "no key", "form of a page", "form", "rebinding"],
)
def test_serves_no_page_and_nobody_without_a_key(
    cloud: LocalCloud, method: str, headers: dict[str, str], body: str
) -> None:
    status, told, _ = ask(cloud, method, "/", body, **headers)

    assert status in (400, 403)
    assert not [name for name in told if name.startswith("access-control")]
    sagemaker: Any = boto3.client("sagemaker")
    assert sagemaker.list_processing_jobs()["ProcessingJobSummaries"] == []


@pytest.mark.parametrize("key", [("test", "test"), ("000000000000", "test"), ("AKIA", "x")])
@pytest.mark.parametrize(
    ("service", "operation"),
    [("s3", "list_buckets"), ("iam", "list_roles"), ("sagemaker", "list_models"), ("lambda", "list_functions")],
)
def test_serves_no_made_up_key(cloud: LocalCloud, key: tuple[str, str], service: str, operation: str) -> None:
    client = boto3.client(service, aws_access_key_id=key[0], aws_secret_access_key=key[1])

    with pytest.raises(ClientError, match="take it with eval"):
        getattr(client, operation)()


def test_serves_temporary_keys_and_those_of_users(cloud: LocalCloud) -> None:
    iam, sts = boto3.client("iam"), boto3.client("sts")
    iam.create_user(UserName="ana")
    user = iam.create_access_key(UserName="ana")["AccessKey"]
    role = sts.assume_role(RoleArn=make_role("r"), RoleSessionName="one")["Credentials"]

    arns = [
        boto3.client(
            "sts",
            aws_access_key_id=key["AccessKeyId"],
            aws_secret_access_key=key["SecretAccessKey"],
            aws_session_token=key.get("SessionToken"),
        ).get_caller_identity()["Arn"]
        for key in (user, role)
    ]

    assert arns == ["arn:aws:iam::000000000000:user/ana", "arn:aws:sts::000000000000:assumed-role/r/one"]


def test_listens_on_this_machine_alone(cloud: LocalCloud) -> None:
    addresses = {address.partition(":")[0] for address in list_listening(cloud.pid)}

    # 127.0.0.1 as the kernel writes it.
    assert addresses == {"0100007F"}


def list_listening(pid: int) -> Iterator[str]:
    """The local addresses that a process listens at."""
    links = [str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        for line in table.read_text().splitlines()[1:] if table.exists() else []:
            _, address, _, state, *_, inode = line.split()[:10]
            if state == "0A" and f"socket:[{inode}]" in links:
                yield address


def test_shows_the_key_to_nobody(cloud: LocalCloud) -> None:
    shown = Path(f"/proc/{cloud.pid}/cmdline").read_bytes().decode() + local_cloud.log_file(cloud.root).read_text()

    assert cloud.key.secret not in shown
    assert [path.name for path in cloud.root.rglob("*") if path.is_file() and holds(path, cloud.key.secret)] == [
        "credentials.json"
    ]


def holds(path: Path, text: str) -> bool:
    return text.encode() in path.read_bytes()


AS_NOBODY = """
import os, sys, urllib.error, urllib.request
# That user may not be able to read this Python's modules.
"x".encode("idna")
os.setgroups([]); os.setgid({nobody}); os.setuid({nobody})
def list_root():
    return os.listdir({root!r})
def read_key():
    return open({root!r} + "/credentials.json").read()
def call():
    try:
        urllib.request.urlopen("http://127.0.0.1:{port}/raw/a.txt", timeout=30)
    except urllib.error.HTTPError as error:
        raise PermissionError(error.code) from None
for attempt in (list_root, read_key, call):
    try:
        attempt()
    except PermissionError:
        print(attempt.__name__)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_shuts_out_another_user_of_the_machine(cloud: LocalCloud) -> None:
    # Whatever the folders above allow, this one must not.
    for parent in cloud.root.parents:
        if parent.name.startswith("pytest-"):
            parent.chmod(0o755)
    program = AS_NOBODY.format(nobody=NOBODY, root=str(cloud.root), port=cloud.port)

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd="/")

    assert done.stdout.split() == ["list_root", "read_key", "call"], done.stderr


PAGE = """<script>
(async () => {
  const cloud = "http://127.0.0.1:PORT", told = [];
  const form = {method: "POST", body: new URLSearchParams({Action: "CreateUser", UserName: "mallory"})};
  for (const [path, options] of [
    ["/_ministack/health", {}], ["/raw/a.txt", {}], ["/", form], ["/", {...form, mode: "no-cors"}],
    ["/", {method: "POST", headers: {"X-Amz-Target": "SageMaker.ListModels"}, body: "{}"}],
  ]) told.push(await fetch(cloud + path, options).then(answer => answer.type, () => "refused"));
  await fetch("/told", {method: "POST", body: told.join()});
})();
</script>"""


@contextmanager
def serve_page(page: str) -> Iterator[tuple[int, "queue.Queue[str]"]]:
    """A web server with one page; its port, and what the page sends it."""
    told: queue.Queue[str] = queue.Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer(page.encode())

        def do_POST(self) -> None:
            told.put(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.answer(b"")

        def answer(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_port, told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def browse(tmp_path: Path) -> Callable[..., "subprocess.Popen[str]"]:
    """Opens an address in a browser to which every name leads to this machine."""
    browser = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if browser is None:
        pytest.skip("no Chromium is installed")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-proxy-server", f"--user-data-dir={tmp_path}"]
    options.append("--host-resolver-rules=MAP * 127.0.0.1")

    def start(address: str, *more: str) -> "subprocess.Popen[str]":
        command = [browser, *options, *more, address]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    return start


def test_shuts_out_a_page_of_another_origin_in_a_browser(
    cloud: LocalCloud, browse: Callable[..., "subprocess.Popen[str]"]
) -> None:
    with (
        serve_page(PAGE.replace("PORT", str(cloud.port))) as (port, told),
        # Without a debugging port, a headless browser ends when the page is loaded.
        browse(f"http://evil.example:{port}/", "--remote-debugging-port=0") as process,
    ):
        answers = told.get(timeout=PATIENCE_SECONDS)
        process.terminate()

    # An opaque answer is one that a page may not look at: its request was sent, and has done nothing.
    assert answers.split(",") == ["refused", "refused", "refused", "opaque", "refused"]
    assert "mallory" not in [user["UserName"] for user in boto3.client("iam").list_users()["Users"]]


def test_shuts_out_a_page_whose_own_name_was_made_to_lead_here(
    cloud: LocalCloud, browse: Callable[..., "subprocess.Popen[str]"]
) -> None:
    with browse(f"http://rebound.example:{cloud.port}/_ministack/health", "--dump-dom") as process:
        shown, _ = process.communicate(timeout=PATIENCE_SECONDS)

    assert "the local cloud answers to 127.0.0.1" in shown
