"""Things done side by side."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any


async def run_together(works: Sequence[Callable[[], Awaitable[Any]]], most: int) -> None:
    """Do things side by side, in order; the first failure ends all of them.

    Args:
        works: What is done.
        most: How many of them at once.
    """
    gate = asyncio.Semaphore(most)

    async def run(work: Callable[[], Awaitable[Any]]) -> None:
        async with gate:
            await work()

    try:
        async with asyncio.TaskGroup() as group:
            for work in works:
                group.create_task(run(work))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
