"""Load on an endpoint: wrk where it is installed, a client in Python elsewhere."""

import asyncio
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence


def name_client() -> str:
    """Which of the two measures here."""
    return "wrk" if shutil.which("wrk") else "asyncio"


def put_load(
    port: int, bodies: Sequence[bytes], connections: int, seconds: float, media_type: str = "text/csv"
) -> tuple[float, float]:
    """The median milliseconds of a request, and the requests per second.

    Args:
        port: Where the endpoint listens.
        bodies: What is sent to /invocations, in turn.
        connections: How many ask at the same time.
        seconds: For how long.
        media_type: Of the bodies.
    """
    if shutil.which("wrk"):
        return put_load_with_wrk(port, bodies, connections, seconds, media_type)
    return asyncio.run(put_load_with_python(port, bodies, connections, seconds, media_type))


WRK_SCRIPT = """
local bodies = {%s}
local requests, next = {}, 0
init = function()
  for i, body in ipairs(bodies) do
    requests[i] = wrk.format("POST", "/invocations", {["Content-Type"] = "%s"}, body)
  end
end
request = function() next = next %% #requests + 1; return requests[next] end
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format('RESULT {"p50_ms": %%f, "per_second": %%f, "errors": %%d}',
    latency:percentile(50) / 1000, summary.requests / summary.duration * 1e6,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


def put_load_with_wrk(
    port: int, bodies: Sequence[bytes], connections: int, seconds: float, media_type: str
) -> tuple[float, float]:
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        # As numbers: Lua would take some of a photograph's bytes for ends of lines.
        texts = ["".join(map(r"\{:03}".format, body)) for body in bodies]
        script.write(WRK_SCRIPT % (", ".join(f'"{text}"' for text in texts), media_type))
        script.flush()
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s"]
        done = subprocess.run(
            [*command, "-s", script.name, f"http://127.0.0.1:{port}"], capture_output=True, text=True, check=True
        )
    result = json.loads(done.stdout.split("RESULT ")[1])
    return check_result(result["p50_ms"], result["per_second"], result["errors"])


async def put_load_with_python(
    port: int, bodies: Sequence[bytes], connections: int, seconds: float, media_type: str
) -> tuple[float, float]:
    durations: list[float] = []
    refused = 0
    head = f"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: {media_type}\r\ncontent-length: "
    requests = [f"{head}{len(body)}\r\n\r\n".encode() + body for body in bodies]
    start = time.perf_counter()

    async def call(number: int) -> None:
        nonlocal refused
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() - start < seconds:
            sent = time.perf_counter()
            writer.write(requests[number % len(requests)])
            answer = await reader.readuntil(b"\r\n\r\n")
            lengths = [line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            await reader.readexactly(int(lengths[0].split(b":")[1]))
            durations.append(time.perf_counter() - sent)
            refused += not answer.startswith(b"HTTP/1.1 200")
            number += connections
        writer.close()

    await asyncio.gather(*(call(number) for number in range(connections)))
    per_second = len(durations) / (time.perf_counter() - start)
    return check_result(statistics.median(durations) * 1000, per_second, refused)


def check_result(p50_ms: float, per_second: float, errors: int) -> tuple[float, float]:
    """The figures, unless some requests failed: then they mean nothing."""
    if errors or not per_second:
        raise RuntimeError(f"{errors} requests failed, {per_second:.1f} a second did not; try more --seconds")
    return p50_ms, per_second
