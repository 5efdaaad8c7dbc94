"""Translating by beam search: the likeliest translations so far, each with its next tokens, over and over.

Scores are the mean logarithm of the tokens' probabilities, as in https://arxiv.org/abs/1609.08144 with a length penalty
of 1. What computes the probabilities is PyTorch while a network learns, and ONNX Runtime where it serves.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from headrace.recordio.sentences import BEGIN, END, PAD

Floats = NDArray[np.float32]
Numbers = NDArray[np.int64]
# How many sentences are translated side by side.
AT_ONCE: Final = 32


class Memory(NamedTuple):
    """What a network knows of some sources.

    Args:
        values: By sentence, token and unit.
        keys: What attention compares them by, likewise.
        mask: Which tokens there are, by sentence and token.
    """

    values: Floats
    keys: Floats
    mask: NDArray[np.bool_]


class State(NamedTuple):
    """Where a network is in some translations: by translation, layer and unit."""

    hidden: Floats
    cell: Floats


class Steps(Protocol):
    """A network that translates step by step."""

    def encode(self, source: Numbers, lengths: Numbers) -> tuple[Memory, State]:
        """What it knows of some sources.

        Args:
            source: Their tokens by sentence, padded.
            lengths: How many tokens each has.
        """

    def step(self, tokens: Numbers, state: State, memory: Memory) -> tuple[Floats, Floats, State]:
        """The logarithm of each next token's probability, which source tokens were looked at, and the state then.

        Args:
            tokens: The last token of each translation.
            state: Where each is.
            memory: What is known of the source of each.
        """


class Translation(NamedTuple):
    """A translation's tokens, and how much each looked at each of the source's."""

    tokens: list[int]
    attention: Floats


def translate(steps: Steps, sources: Sequence[Sequence[int]], beam: int, longest: int) -> list[Translation]:
    """The likeliest translation of each source.

    Args:
        steps: The network.
        sources: Tokens, one at least.
        beam: How many translations of each are followed.
        longest: How many tokens one may have.
    """
    found: dict[int, Translation] = {}
    # Sentences of like length waste no steps on each other.
    order = sorted(range(len(sources)), key=lambda place: len(sources[place]))
    for start in range(0, len(order), AT_ONCE):
        places = order[start : start + AT_ONCE]
        found.update(zip(places, _search(steps, [sources[place] for place in places], beam, longest), strict=True))
    return [found[place] for place in range(len(sources))]


def pad(sentences: Sequence[Sequence[int]]) -> tuple[Numbers, Numbers]:
    """Sentences as the rows of a matrix, and how long each is."""
    lengths = np.array([len(sentence) for sentence in sentences], np.int64)
    rows = np.full((len(sentences), int(lengths.max())), PAD, np.int64)
    for row, sentence in zip(rows, sentences, strict=True):
        row[: len(sentence)] = sentence
    return rows, lengths


def _search(steps: Steps, sources: Sequence[Sequence[int]], beam: int, longest: int) -> list[Translation]:
    count = len(sources)
    encoded, start = steps.encode(*pad(sources))
    memory, state = Memory(*_repeat(encoded, beam)), State(*_repeat(start, beam))
    scores = np.full((count, beam), -np.inf, np.float64)
    scores[:, 0] = 0
    tokens = np.full((count * beam, 1), BEGIN, np.int64)
    attention = np.empty((count * beam, 0, memory.mask.shape[1]), np.float32)
    best = _Best(sources)
    for length in range(1, longest + 1):
        odds, looked, state = steps.step(tokens[:, -1], state, memory)
        scores, parents, following = _choose(scores, _bar(odds))
        tokens = np.concatenate((tokens[parents], following[:, None]), axis=1)
        attention = np.concatenate((attention[parents], looked[parents, None]), axis=1)
        state = State(*(array[parents] for array in state))
        ended = (following == END).reshape(count, beam) | (length == longest)
        best.take(np.where(ended, scores, -np.inf) / length, tokens, attention)
        # Those that have ended are followed no further, and those that even certain tokens would not make the best.
        scores[ended | (scores / longest <= best.scores[:, None])] = -np.inf
        if np.isneginf(scores).all():
            break
    return best.translations


class _Best:
    """The best translation of each source so far.

    Args:
        sources: Their tokens.
    """

    def __init__(self, sources: Sequence[Sequence[int]]) -> None:
        self._sources = sources
        self.scores = np.full(len(sources), -np.inf, np.float64)
        self.translations = [Translation([], np.empty((0, len(source)), np.float32)) for source in sources]

    def take(self, scores: NDArray[np.float64], tokens: Numbers, attention: Floats) -> None:
        """Keep what is better, of translations by source and then by how good they are."""
        beam = scores.shape[1]
        for place in np.flatnonzero(scores.max(axis=1) > self.scores).tolist():
            row = place * beam + int(scores[place].argmax())
            kept = [int(token) for token in tokens[row, 1:] if token != END]
            self.scores[place] = scores[place].max()
            looked = attention[row, : len(kept), : len(self._sources[place])].copy()
            self.translations[place] = Translation(kept, looked)


def _repeat(arrays: Sequence[NDArray[Any]], beam: int) -> list[NDArray[Any]]:
    return [np.repeat(array, beam, axis=0) for array in arrays]


def _bar(odds: Floats) -> Floats:
    """No translation has marks other than its end."""
    odds = odds.copy()
    odds[:, [PAD, BEGIN]] = -np.inf
    return odds


def _choose(scores: NDArray[np.float64], odds: Floats) -> tuple[NDArray[np.float64], Numbers, Numbers]:
    """The best continuations of each sentence: their scores, which translation each continues, and with what token."""
    count, beam = scores.shape
    totals = (scores.reshape(-1, 1) + odds).reshape(count, -1)
    likely = np.argpartition(-totals, beam - 1, axis=1)[:, :beam]
    ranked = np.take_along_axis(likely, np.argsort(-np.take_along_axis(totals, likely, 1), axis=1, kind="stable"), 1)
    parents = (np.arange(count)[:, None] * beam + ranked // odds.shape[1]).ravel()
    return np.take_along_axis(totals, ranked, 1), parents, (ranked % odds.shape[1]).ravel()
