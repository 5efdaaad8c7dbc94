"""Which of a channel's objects each instance of a job gets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

T = TypeVar("T")
SHARDED: Final = "ShardedByS3Key"


@dataclass(frozen=True)
class Shard:
    """One instance's part of what is divided among all of them.

    SageMaker says that each gets about as many objects and not which; here they are dealt out in turn.

    Args:
        index: The instance, counted from 0.
        count: How many there are.
    """

    index: int = 0
    count: int = 1

    def take(self, items: Sequence[T]) -> Sequence[T]:
        """The part of this instance.

        Example:
            >>> Shard(1, 3).take("abcdefgh")
            'beh'
        """
        return items[self.index :: self.count]


def find_shard(source: Mapping[str, Any], shard: Shard) -> Shard:
    """An instance's part of an S3 source: what a request does not divide, each instance gets as a whole."""
    return shard if source.get("S3DataDistributionType") == SHARDED else Shard()
