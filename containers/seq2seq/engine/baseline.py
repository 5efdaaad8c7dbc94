"""Translating word for word, in the order of the source: what a model must do better than.

Each token has the one of the other side that it occurs with most exclusively, by Dice's coefficient: twice the pairs
that have both, over the pairs that have one and those that have the other.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import product
from typing import Final

from headrace.recordio.sentences import Pair

# Enough to find what frequent words mean, and soon counted.
MOST_PAIRS: Final = 5_000


def learn_words(pairs: Sequence[Pair]) -> Callable[[Sequence[int]], list[int]]:
    """What translates tokens one by one; those that no pair has are left out."""
    sources: Counter[int] = Counter()
    targets: Counter[int] = Counter()
    both: Counter[tuple[int, int]] = Counter()
    for pair in pairs[:MOST_PAIRS]:
        source, target = set(pair.source), set(pair.target)
        sources.update(source)
        targets.update(target)
        both.update(product(source, target))
    best: dict[int, tuple[float, int]] = {}
    for (source_token, target_token), count in both.items():
        likeness = 2 * count / (sources[source_token] + targets[target_token])
        # Of tokens that are as exclusive, the one with the lower number.
        best[source_token] = max(best.get(source_token, (0.0, 0)), (likeness, -target_token))
    return lambda source: [-best[token][1] for token in source if token in best]
