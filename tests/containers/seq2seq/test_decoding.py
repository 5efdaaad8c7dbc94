"""Beam search finds the likeliest translations, and BLEU and the baseline are what they are said to be."""

import itertools
import random
from collections.abc import Sequence

import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU

from containers.seq2seq.engine.baseline import learn_words
from containers.seq2seq.engine.bleu import find_bleu
from containers.seq2seq.engine.decoding import Floats, Memory, Numbers, State, translate
from headrace.recordio.sentences import BEGIN, END, Pair

TOKENS = 7


class Table:
    """Next tokens' probabilities by the source's first token, how far the translation is, and its last token.

    Args:
        seed: Decides them.
        longest: How many steps there are.
    """

    def __init__(self, seed: int, longest: int) -> None:
        scores = np.random.default_rng(seed).standard_normal((TOKENS, longest, TOKENS, TOKENS)).astype(np.float32) * 2
        self.odds = scores - np.log(np.exp(scores).sum(axis=-1, keepdims=True))

    def encode(self, source: Numbers, lengths: Numbers) -> tuple[Memory, State]:
        first = source[:, :1].astype(np.float32)[:, :, None]
        mask = np.arange(source.shape[1])[None] < lengths[:, None]
        return Memory(np.repeat(first, source.shape[1], axis=1), first, mask), State(first * 0, first * 0)

    def step(self, tokens: Numbers, state: State, memory: Memory) -> tuple[Floats, Floats, State]:
        first, place = memory.keys[:, 0, 0].astype(int), state.hidden[:, 0, 0].astype(int)
        attention = memory.mask / memory.mask.sum(axis=1, keepdims=True, dtype=np.float32)
        return self.odds[first, place, tokens], attention, State(state.hidden + 1, state.cell)


def list_all(table: Table, first: int, longest: int) -> list[tuple[float, list[int]]]:
    """Every translation with its mean logarithm of probabilities."""
    found = []
    for length in range(longest + 1):
        for tokens in itertools.product([1, 4, 5, 6], repeat=length):
            said = [*tokens, END] if length < longest else [*tokens]
            odds = [
                table.odds[first, place, last, token]
                for place, (last, token) in enumerate(zip([BEGIN, *said], said, strict=False))
            ]
            found.append((float(np.mean(odds)) if odds else -np.inf, list(tokens)))
    return found


@pytest.mark.parametrize("seed", range(5))
def test_finds_the_likeliest_of_all_translations_with_a_beam_that_is_wide_enough(seed: int) -> None:
    table, longest = Table(seed, 3), 3

    translations = translate(table, [[4], [5, 1, 1], [6, 1]], 4**3 * 4, longest)

    for first, translation in zip((4, 5, 6), translations, strict=True):
        score, tokens = max(list_all(table, first, longest))
        assert translation.tokens == tokens, score


def test_answers_each_source_in_its_place_and_says_where_it_looked() -> None:
    table = Table(1, 4)
    sources = [[4 + place % 3] * (1 + place % 5) for place in range(80)]

    together = translate(table, sources, 3, 4)

    for source, translation in zip(sources, together, strict=True):
        (alone,) = translate(table, [source], 3, 4)
        assert alone.tokens == translation.tokens
        assert translation.attention.shape == (len(translation.tokens), len(source))
        assert translation.attention.sum(axis=1) == pytest.approx(np.ones(len(translation.tokens)))


def spell(sentences: Sequence[Sequence[int]]) -> list[str]:
    return [" ".join(f"w{token}" for token in sentence) for sentence in sentences]


@pytest.mark.parametrize("seed", range(20))
def test_scores_translations_as_sacrebleu_does(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 (made-up data)
    references = [[chance.randrange(6) for _ in range(chance.randrange(1, 12))] for _ in range(8)]
    translations = [
        [token if chance.random() < 0.7 else chance.randrange(6) for token in reference][: chance.randrange(1, 12)]
        for reference in references
    ]

    score = BLEU(tokenize="none", force=True).corpus_score(spell(translations), [spell(references)])

    assert 100 * find_bleu(translations, references) == pytest.approx(score.score)


@pytest.mark.parametrize(
    ("translations", "score"),
    [([[1, 2, 3, 4, 5]], 1), ([[9, 9, 9, 9, 9]], 0), ([[]], 0), ([[1, 2, 3]], 0), ([[1, 2, 3, 4]], np.exp(-1 / 4))],
)
def test_scores_what_is_right_wrong_or_nothing(translations: list[list[int]], score: float) -> None:
    assert find_bleu(translations, [[1, 2, 3, 4, 5]]) == pytest.approx(score)


def test_translates_word_for_word_what_occurs_together() -> None:
    pairs = [Pair([4, 5], [8, 7, 9]), Pair([5, 6], [9, 7]), Pair([4, 6], [8, 7]), Pair([6], [7])] * 3

    translate_words = learn_words(pairs)

    assert translate_words([6, 4, 5, 99]) == [7, 8, 9]
