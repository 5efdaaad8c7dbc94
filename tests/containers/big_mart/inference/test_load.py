"""An endpoint under load, among callers who mean well and callers who do not.

Two seconds in `make test`, ten in `make test-all`; HEADRACE_LOAD_SECONDS=60 is the full test.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from containers.big_mart.inference import contract
from containers.shared import sagemaker
from containers.shared.serving.connections import ARRIVAL_SECONDS
from headrace.loopback import find_free_port
from headrace.recipes import big_mart
from tests.containers.job_roots import any_sales_row, make_sales
from tests.containers.programs import serving
from tests.examples import IS_EXHAUSTIVE
from tests.patience import PATIENCE_SECONDS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="reads the workers' memory from /proc"),
]

LOAD_SECONDS = float(os.environ.get("HEADRACE_LOAD_SECONDS", "10" if IS_EXHAUSTIVE else "2"))
CONNECTIONS = 64
# What the allocator keeps of a few bodies of megabytes.
KEPT_MIB = 64


@dataclass(frozen=True)
class Server:
    """A serving process under test."""

    process: subprocess.Popen[str]
    port: int

    def list_workers(self) -> list[int]:
        """The processes that serve, without multiprocessing's own."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]

    def measure_memory(self) -> int:
        """The workers' resident memory in MiB."""
        pages = sum(int(Path(f"/proc/{worker}/statm").read_text().split()[1]) for worker in self.list_workers())
        return pages * os.sysconf("SC_PAGE_SIZE") // 2**20


@dataclass
class Outcome:
    """What callers saw."""

    statuses: Counter[int] = field(default_factory=Counter)
    pings: int = 0


def format_row(row: dict[str, str]) -> bytes:
    return ",".join(cell for name, cell in row.items() if name != "Item_Outlet_Sales").encode() + b"\n"


def format_request(
    body: bytes, *, length: int | None = None, headers: bytes = b"", media: bytes = b"text/csv"
) -> bytes:
    declared = str(len(body) if length is None else length).encode()
    head = b"POST /invocations HTTP/1.1\r\nhost: endpoint\r\ncontent-type: " + media + b"\r\n" + headers
    return head + b"content-length: " + declared + b"\r\n\r\n" + body


async def read_status(reader: asyncio.StreamReader) -> int:
    """The status of one answer, whose body is read, too; 0 where the server closed without one."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.split(b":")[1]))
    return int(head.split()[1])


async def call_until(port: int, request: bytes, deadline: Callable[[], bool], statuses: Counter[int]) -> None:
    """One well-meaning caller on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while not deadline():
        writer.write(request)
        statuses[await read_status(reader)] += 1
    writer.close()


async def ping_until(port: int, deadline: Callable[[], bool], outcome: Outcome) -> None:
    """SageMaker's health check, each time on its own connection."""
    while not deadline():
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /ping HTTP/1.1\r\nhost: endpoint\r\n\r\n")
        outcome.statuses[await read_status(reader)] += 1
        writer.close()
        outcome.pings += 1
        await asyncio.sleep(0.1)


async def misbehave(port: int, *parts: bytes, half_close: bool = False, pause: float = 0) -> int:
    """The status a caller gets who sends these parts, with pauses between them."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.create_task(read_status(reader))
    for part in parts:
        if answer.done():
            break
        writer.write(part)
        await writer.drain()
        await asyncio.sleep(pause)
    if half_close:
        writer.write_eof()
    status = await answer
    writer.close()
    return status


async def vanish(port: int) -> int:
    """A caller who goes away in the middle of a body."""
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(format_request(b"1," * 1000, length=5000))
    await writer.drain()
    writer.transport.abort()
    return 0


def list_misbehaviours(port: int) -> Iterator[tuple[str, int, Awaitable[int]]]:
    """Each way to misbehave, with the status it deserves."""
    row = format_row(any_sales_row())
    huge = b"x" * (sagemaker.MAX_BODY_BYTES + 1)
    yield "malformed", 400, misbehave(port, b"\x16\x03\x01 no http\r\n\r\n")
    yield "wrong row", 400, misbehave(port, format_request(format_row(any_sales_row(Item_MRP="abc"))))
    yield "other type", 415, misbehave(port, format_request(row, media=b"image/png"))
    yield "other answer", 406, misbehave(port, format_request(row, headers=b"accept: image/png\r\n"))
    yield "huge", 413, misbehave(port, format_request(huge))
    chunked = format_request(b"", headers=b"transfer-encoding: chunked\r\n").replace(b"content-length: 0\r\n", b"")
    yield "huge in chunks", 413, misbehave(port, chunked + b"%x\r\n" % len(huge) + huge + b"\r\n0\r\n\r\n")
    yield "many rows", 413, misbehave(port, format_request(b"," * 10 + b"\n" + b"\n" * contract.MAX_ROWS))
    yield "many good rows", 200, misbehave(port, format_request(row * 20_000))
    yield "half-closed", 200, misbehave(port, format_request(row), half_close=True)
    yield "half-closed early", 400, misbehave(port, format_request(row, length=500), half_close=True)
    yield "gone", 0, vanish(port)
    if not IS_EXHAUSTIVE:
        # test_server.py has the slow ones, whose server runs in the process of the test and has less patience.
        return
    yield "slow headers", 408, misbehave(port, *[b"GET /ping HTTP/1.1\r\nx-slow: 1"] * 2, *[b"1"] * 90, pause=0.5)
    yield "slow body", 408, misbehave(port, format_request(b"1", length=500), *[b"1"] * 90, pause=0.5)


async def load_quietly(port: int, seconds: float) -> Outcome:
    """The outcome for well-meaning callers among themselves."""
    end = time.monotonic() + seconds
    return await load_until(port, lambda: time.monotonic() > end)


async def load_until(port: int, deadline: Callable[[], bool]) -> Outcome:
    """The outcome for all callers who mean well."""
    outcome = Outcome()
    requests = [format_request(format_row(row)) for row in make_sales(CONNECTIONS)]
    callers = [call_until(port, request, deadline, outcome.statuses) for request in requests]
    await asyncio.gather(*callers, ping_until(port, deadline, outcome))
    return outcome


async def load_badly(port: int) -> tuple[Outcome, dict[str, int], dict[str, int]]:
    """The outcome for those who mean well beside those who do not, and the statuses the latter deserve and got."""
    names, deserved, misbehaviours = zip(*list_misbehaviours(port), strict=True)
    misbehaving = asyncio.gather(*misbehaviours)
    outcome = await load_until(port, misbehaving.done)
    return outcome, dict(zip(names, deserved, strict=True)), dict(zip(names, await misbehaving, strict=True))


@pytest.fixture(scope="module")
def server(trained: Path) -> Iterator[Server]:
    port = find_free_port()
    with serving(big_mart.INFERENCE, trained, port) as process:
        assert process.stdout
        drain = subprocess.Popen([sys.executable, "-c", "import sys; [None for _ in sys.stdin]"], stdin=process.stdout)
        yield Server(process, port)
    drain.wait(PATIENCE_SECONDS)


def test_answers_every_request_and_every_ping_under_load(server: Server) -> None:
    outcome = asyncio.run(load_quietly(server.port, LOAD_SECONDS))

    assert set(outcome.statuses) == {200}
    assert outcome.statuses[200] > CONNECTIONS
    assert outcome.pings > 0


def test_withstands_callers_who_misbehave(server: Server) -> None:
    asyncio.run(load_quietly(server.port, 1))
    workers, memory = server.list_workers(), server.measure_memory()

    outcome, deserved, got = asyncio.run(asyncio.wait_for(load_badly(server.port), ARRIVAL_SECONDS + PATIENCE_SECONDS))

    assert got == deserved
    assert set(outcome.statuses) == {200}
    assert outcome.pings > 0
    assert server.list_workers() == workers
    assert server.measure_memory() <= memory + KEPT_MIB
