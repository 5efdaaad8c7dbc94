"""In which order an epoch reads its records, and which of them each of several instances gets.

Shards are cut into blocks of records that lie side by side. Each epoch shuffles the blocks, and then the records of
a window of so many blocks: what is read next lies in few places, which a file system reads ahead in large pieces, and a
batch still comes from all over the set. Everything follows from the seed and the number of the epoch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from headrace.packed.layout import PackedError

BLOCK_RECORDS: Final = 64
WINDOW_BLOCKS: Final = 32
WINDOW_RECORDS: Final = BLOCK_RECORDS * WINDOW_BLOCKS
# A last batch of less than this part of the others joins the one before: its gradient would be noise.
_LEAST_PART: Final = 8

Places = NDArray[np.int64]


def draw_order(shards: Sequence[int], seed: int, epoch: int) -> Places:
    """The places of all records, each once, in the order of an epoch.

    Args:
        shards: How many records each shard has.
        seed: What decides instead of chance, from 0.
        epoch: The epoch's number, from 0.

    Example:
        >>> sorted(draw_order([3, 2], 7, 0).tolist())
        [0, 1, 2, 3, 4]
    """
    chance = np.random.default_rng((seed, epoch))
    begins = np.cumsum([0, *shards])
    blocks = [
        (start, min(start + BLOCK_RECORDS, int(end)))
        for begin, end in pairwise(begins)
        for start in range(int(begin), int(end), BLOCK_RECORDS)
    ]
    order = chance.permutation(len(blocks))
    windows = []
    for first in range(0, len(order), WINDOW_BLOCKS):
        places = np.concatenate([np.arange(*blocks[block]) for block in order[first : first + WINDOW_BLOCKS]])
        chance.shuffle(places)
        windows.append(places)
    return np.concatenate(windows).astype(np.int64) if windows else np.empty(0, np.int64)


@dataclass(frozen=True)
class Share:
    """One of the instances that train together.

    Args:
        count: How many they are.
        index: Which of them this is, counted from 0.
    """

    count: int = 1
    index: int = 0


ALONE: Final = Share()


@dataclass(frozen=True)
class Step:
    """What one instance reads for a step of an epoch.

    Args:
        number: The step's, counted from 0.
        places: Its records.
        total: How many records all instances read for it.
    """

    number: int
    places: Places
    total: int


@dataclass(frozen=True)
class Epoch:
    """The steps of an epoch, of which each instance has a part of every one.

    Args:
        order: The records of all instances, in their order.
        batch: How many of them an instance reads for a step; one step may have fewer or an eighth more.
        share: Which instance this is.
    """

    order: Places
    batch: int
    share: Share = ALONE

    def __post_init__(self) -> None:
        if len(self.order) < self.share.count:
            raise PackedError(f"{len(self.order)} records are too few for {self.share.count} instances; use fewer")

    def __len__(self) -> int:
        whole, rest = divmod(len(self.order), self._total)
        return whole + (rest >= self._least) if whole else 1

    def step(self, number: int) -> Step:
        """A step, by its number."""
        if not 0 <= number < len(self):
            raise IndexError(number)
        end = len(self.order) if number == len(self) - 1 else (number + 1) * self._total
        places = self.order[number * self._total : end]
        return Step(number, np.array_split(places, self.share.count)[self.share.index], len(places))

    @property
    def _total(self) -> int:
        return self.batch * self.share.count

    @property
    def _least(self) -> int:
        return max(self.share.count, -(-self._total // _LEAST_PART))
