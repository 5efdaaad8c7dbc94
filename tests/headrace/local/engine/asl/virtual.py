"""Executions in virtual time: it passes only while everything waits, so that hours take no time."""

import asyncio
import selectors
from collections import Counter
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from headrace.local.engine.asl.failures import StateFailedError
from headrace.local.engine.asl.flows import MapRun
from headrace.local.engine.asl.surroundings import ItemSource, TaskCall

_START = datetime(2026, 1, 1, tzinfo=UTC)
T = TypeVar("T")


class _Selector(selectors.SelectSelector):
    """Lets the time of a loop pass where another selector would wait."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout is None:
            raise AssertionError("everything waits for what never comes")
        self.now += 0 if ready else timeout or 0
        return ready


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only while everything waits."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now


def run_virtually(work: Awaitable[T]) -> T:
    """The result of some work in virtual time."""

    async def run() -> T:
        return await work

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(run())


class VirtualClock:
    """Virtual time, and how long was waited."""

    def __init__(self) -> None:
        self.waits: list[float] = []

    def now(self) -> datetime:
        try:
            passed = asyncio.get_running_loop().time()
        except RuntimeError:
            passed = 0
        return _START + timedelta(seconds=passed)

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        await asyncio.sleep(seconds)

    def limit(self, seconds: float | None) -> asyncio.Timeout:
        return asyncio.timeout(seconds)


class MockedTasks:
    """Answers tasks from a list for each state, and remembers what was asked.

    Args:
        mocks: The answers of each state, in the order of its attempts.
    """

    def __init__(self, mocks: Mapping[str, list[dict[str, Any]]]) -> None:
        self._answers = {state: iter(answers) for state, answers in mocks.items()}
        self._running: Counter[str] = Counter()
        self.calls: Counter[str] = Counter()
        self.inputs: dict[str, list[Any]] = {}
        self.most_running: Counter[str] = Counter()
        self.map_runs: list[MapRun] = []

    async def run(self, call: TaskCall) -> Any:
        self.calls[call.state] += 1
        self.inputs.setdefault(call.state, []).append(call.arguments)
        self._running[call.state] += 1
        self.most_running[call.state] = max(self.most_running[call.state], self._running[call.state])
        try:
            return await self._answer(call)
        finally:
            self._running[call.state] -= 1

    async def read_items(self, source: ItemSource) -> list[Any]:
        return [{"Key": key} for key in source.arguments["Keys"]]

    async def begin_map_run(self, run: MapRun) -> None:
        self.map_runs.append(run)

    async def _answer(self, call: TaskCall) -> Any:
        answer = next(self._answers[call.state])
        await asyncio.sleep(call.arguments["Payload"] if "delay_from_payload" in answer else answer.get("delay", 0))
        if "error" in answer:
            raise StateFailedError(answer["error"], answer.get("cause", ""))
        if repeated := answer.get("result_repeat"):
            return {"StatusCode": 200, "Payload": repeated["char"] * repeated["count"]}
        return answer["result"]
