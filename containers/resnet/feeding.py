"""Bringing the batches of a packed set to the device while the one before is learnt.

On a GPU the bytes travel from page-locked memory, and records are changed, in a stream beside that of the network. How
long the network waited is measured there, by the clock of the device; on a processor, where nothing but reading goes on
at the same time, it is the time until a batch has been read.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from headrace.packed.order import Epoch
from headrace.packed.reading import Batch, PackedSet, read_batches

from .changing import Augmentation, Changes, change, draw_changes, open_chance
from .computing import Computing


@dataclass(frozen=True)
class Fed:
    """A batch on the device.

    Args:
        number: The step's in its epoch.
        values: What the network takes.
        classes: The class of each record.
        total: How many records all instances have for this step.
    """

    number: int
    values: Any
    classes: Any
    total: int


class Feeder:
    """Brings the batches of a set to the device.

    Args:
        packed: The set.
        computing: How the network is computed.
        side: Rows and columns that the network takes.
        augmentation: How records are changed.
        batch: How many records most batches have.
        seed: What decides instead of chance.
    """

    def __init__(
        self, packed: PackedSet, computing: Computing, side: int, augmentation: Augmentation, batch: int, seed: int
    ) -> None:
        self.waited_seconds = 0.0
        self._packed = packed
        self._computing = computing
        self._side = side
        self._augmentation = augmentation
        self._seed = seed
        self._stream = torch.cuda.Stream() if computing.is_gpu else None
        self._change = computing.compile(change, "changing", *self._make_trial(batch))

    def feed(self, epoch: Epoch, number: int, begin: int = 0) -> Iterator[Fed]:
        """The batches of an epoch from a step on.

        How a record is changed depends on the seed, the epoch, the step and the instance alone.

        Args:
            epoch: Its order and steps.
            number: Which epoch it is.
            begin: The first step.
        """
        batches = read_batches(self._packed, epoch, begin=begin, allocate=self._choose_memory())
        timed = batches if self._stream else self._time(batches)
        prepared = (
            self._prepare(batch, open_chance(self._seed, number, batch.number, epoch.share.index)) for batch in timed
        )
        return self._hand_over_on_gpu(prepared) if self._stream else (fed for _, fed, _ in prepared)

    def _make_trial(self, batch: int) -> tuple[Any, ...]:
        height, width, colours = self._packed.layout.shape
        pixels = torch.zeros(batch, height, width, colours, dtype=torch.uint8, device=self._computing.device)
        changes = draw_changes(np.random.default_rng(0), batch, (height, width), self._augmentation)
        return pixels, *self._move(changes), self._side, self._computing.pixel_type

    def _choose_memory(self) -> Callable[[tuple[int, ...]], NDArray[np.uint8]] | None:
        if not self._stream:
            return None
        return lambda shape: np.asarray(torch.empty(shape, dtype=torch.uint8, pin_memory=True).numpy())

    def _move(self, changes: Changes) -> tuple[Any, Any]:
        boxes, colours = (
            None if array is None else torch.from_numpy(array).to(self._computing.device, non_blocking=True)
            for array in (changes.boxes, changes.colours)
        )
        return boxes, colours

    def _prepare(self, batch: Batch, chance: np.random.Generator) -> tuple[Batch, Fed, Any]:
        """A batch on the device, with what says when it is there; its bytes must be kept until then."""
        height, width, _ = self._packed.layout.shape
        changes = draw_changes(chance, len(batch.classes), (height, width), self._augmentation)
        device = self._computing.device
        with torch.cuda.stream(self._stream) if self._stream else nullcontext():
            pixels = torch.from_numpy(batch.pixels).to(device, non_blocking=True)
            values = self._change(pixels, *self._move(changes), self._side, self._computing.pixel_type)
            values = values.contiguous(memory_format=self._computing.memory_format)
            classes = torch.from_numpy(batch.classes).to(device, non_blocking=True)
            ready = self._stream.record_event() if self._stream else None
        return batch, Fed(batch.number, values, classes, batch.total), ready

    def _time(self, batches: Iterator[Batch]) -> Iterator[Batch]:
        """The batches, and how long they were waited for."""
        while True:
            start = time.monotonic()
            batch = next(batches, None)
            self.waited_seconds += time.monotonic() - start
            if batch is None:
                return
            yield batch

    def _hand_over_on_gpu(self, prepared: Iterator[tuple[Batch, Fed, Any]]) -> Iterator[Fed]:
        """Each batch once the next one is on its way."""
        network = torch.cuda.current_stream()
        ends: deque[tuple[Any, Any]] = deque()
        ended = network.record_event(torch.cuda.Event(enable_timing=True))
        travelling: deque[tuple[Batch, Fed, Any]] = deque()
        for coming in _followed_by(prepared):
            travelling.append(coming)
            _, fed, ready = coming
            network.wait_event(ready)
            for tensor in (fed.values, fed.classes):
                tensor.record_stream(network)
            began = network.record_event(torch.cuda.Event(enable_timing=True))
            ends.append((ended, began))
            yield fed
            ended = network.record_event(torch.cuda.Event(enable_timing=True))
            # Two steps at most are on their way: more would only take memory.
            while len(ends) > 1:
                before, after = ends.popleft()
                after.synchronize()
                self.waited_seconds += before.elapsed_time(after) / 1000
            while travelling and travelling[0][2].query():
                travelling.popleft()
        torch.cuda.synchronize()
        self.waited_seconds += sum(before.elapsed_time(after) for before, after in ends) / 1000


def _followed_by(prepared: Iterator[tuple[Batch, Fed, Any]]) -> Iterator[tuple[Batch, Fed, Any]]:
    """The same, each once the one after it has been prepared."""
    before: tuple[Batch, Fed, Any] | None = None
    for coming in prepared:
        if before:
            yield before
        before = coming
    if before:
        yield before
