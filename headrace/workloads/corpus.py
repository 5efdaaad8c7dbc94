"""Made-up texts: sentences in which pairs of words mean the same, and labelled messages.

A pair shares everything that is said about it and never stands in one sentence, as synonyms do in large corpora. A
message has words of its label among words of none; one label is twice as frequent as any other.
"""

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

SEED: Final = 42
PAIRS: Final = 40
SENTENCES: Final = 24_000
MESSAGES: Final = 4_000
LABELS: Final = ("billing", "delivery", "returns", "account")
_ABOUT: Final = 12
_SAID: Final = 160
_COMMON: Final = 150
_OF_A_LABEL: Final = 40
_MISTAKEN: Final = 0.1
_ONSETS: Final = ("b", "br", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "st", "t", "tr", "v", "z")
_VOWELS: Final = ("a", "e", "i", "o", "u", "ea", "ou")


def make_words(count: int, chance: random.Random, *, syllables: int = 3) -> list[str]:
    """Different words that mean nothing."""
    words: dict[str, None] = {}
    while len(words) < count:
        words["".join(chance.choice(_ONSETS) + chance.choice(_VOWELS) for _ in range(syllables))] = None
    return list(words)


def list_synonyms(seed: int = SEED) -> dict[str, str]:
    """The planted synonym of each word that has one."""
    pairs = _make_pairs(random.Random(seed))  # noqa: S311 (made-up data)
    return {one: other for first, second, _ in pairs for one, other in ((first, second), (second, first))}


def make_sentences(seed: int = SEED) -> Iterator[str]:
    """Sentences, each with one word of a pair among words that are said of both, and words that are said of all."""
    chance = random.Random(seed)  # noqa: S311 (made-up data)
    pairs = _make_pairs(chance)
    common = [f"of{word}" for word in make_words(_COMMON, chance)]
    for _ in range(SENTENCES):
        *both, about = chance.choice(pairs)
        words = [chance.choice(both), *chance.sample(about, 5), *chance.choices(common, k=2)]
        chance.shuffle(words)
        yield " ".join(words)


def make_messages(seed: int = SEED) -> Iterator[str]:
    """Messages, each with its label, of which some of the words are."""
    chance = random.Random(seed)  # noqa: S311 (made-up data)
    words = make_words(_OF_A_LABEL * len(LABELS) + _COMMON, chance)
    own = {label: words[place * _OF_A_LABEL :][:_OF_A_LABEL] for place, label in enumerate(LABELS)}
    common = words[-_COMMON:]
    for _ in range(MESSAGES):
        label = chance.choices(LABELS, weights=(2, *[1] * (len(LABELS) - 1)))[0]
        # Some people write to the wrong place.
        meant = chance.choice(LABELS) if chance.random() < _MISTAKEN else label
        said = [*chance.choices(own[meant], k=3), *chance.choices(common, k=9)]
        chance.shuffle(said)
        yield f"__label__{label} {' '.join(said)}"


def write_text(path: Path, *, is_labelled: bool) -> None:
    """Write made-up sentences, or labelled messages, a line each."""
    lines = make_messages() if is_labelled else make_sentences()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def _make_pairs(chance: random.Random) -> list[tuple[str, str, list[str]]]:
    """Two words each, and what is said about either; other pairs have some of it said about them, too."""
    words = make_words(PAIRS * 2 + _SAID, chance)
    said = words[PAIRS * 2 :]
    return [(words[2 * place], words[2 * place + 1], chance.sample(said, _ABOUT)) for place in range(PAIRS)]
