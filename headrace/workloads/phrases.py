"""Made-up translations: English sentences of a few words, in a language that is made up, with rules of its own.

In it, the verb is last, adjectives stand behind their noun and take its ending, "two" stands behind both, places stand
behind what they are near, times and "not" go first. Nothing can be translated word for word, and everything by rule.
"""

import random
from pathlib import Path
from typing import Final

from headrace.workloads.corpus import make_words

SEED: Final = 42
PAIRS: Final = 4_000
_NOUNS: Final = (
    "farmer",
    "teacher",
    "singer",
    "dog",
    "horse",
    "boat",
    "house",
    "garden",
    "letter",
    "song",
    "river",
    "apple",
    "stone",
    "lamp",
    "bridge",
    "doctor",
)
_VERBS: Final = ("see", "find", "like", "hear", "follow", "paint", "remember", "praise")
_ADJECTIVES: Final = ("old", "red", "small", "quiet", "strong", "blue", "warm", "tall")
_TIMES: Final = ("today", "yesterday", "tomorrow", "sometimes")
_PLACES: Final = ("near", "behind", "beside", "under")
_TWO, _NOT = "two", "not"
_ENDINGS: Final = ("o", "a")
# How often a noun has no adjective, one or two; and how often something else is said.
_ADJECTIVE_COUNTS: Final = (0, 0, 1, 1, 2)
_SHARES: Final = {_TWO: 0.25, _NOT: 0.3, "place": 0.5, "time": 0.4}


class Grammar:
    """Says the same in both languages.

    Args:
        chance: Decides what is said, and what the words of the made-up language are.
    """

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        known = (*_NOUNS, *_VERBS, *_ADJECTIVES, *_TIMES, *_PLACES, _TWO, _NOT)
        self._words = dict(zip(known, make_words(len(known), chance, syllables=2), strict=True))

    def make_pair(self) -> tuple[str, str]:
        """A sentence and its translation."""
        (subject, subject_said, is_plural), (other, other_said, _) = self._make_noun(), self._make_noun()
        verb = self._chance.choice(_VERBS)
        said, place, place_said = [self._words[verb]], [], []
        spoken = verb if is_plural else f"{verb}s"
        if is_negated := self._happens(_NOT):
            spoken = f"{'do' if is_plural else 'does'} {_NOT} {verb}"
        if self._happens("place"):
            where, (near, near_said, _) = self._chance.choice(_PLACES), self._make_noun()
            place, place_said = [where, *near], [*near_said, self._words[where]]
        times = [self._chance.choice(_TIMES)] if self._happens("time") else []
        first = [self._words[word] for word in (*times, *([_NOT] if is_negated else []))]
        source = [*subject, spoken, *other, *place, *times, "."]
        target = [*first, *place_said, *subject_said, *other_said, *said, "."]
        return " ".join(source), " ".join(target)

    def _make_noun(self) -> tuple[list[str], list[str], bool]:
        """A noun with what is said of it, in both languages, and whether it is more than one."""
        noun, is_plural = self._chance.choice(_NOUNS), self._happens(_TWO)
        adjectives = self._chance.sample(_ADJECTIVES, self._chance.choice(_ADJECTIVE_COUNTS))
        ending = _ENDINGS[_NOUNS.index(noun) % len(_ENDINGS)]
        source = [_TWO if is_plural else "the", *adjectives, f"{noun}s" if is_plural else noun]
        target = [self._words[noun], *(self._words[word] + ending for word in reversed(adjectives))]
        return source, [*target, *([self._words[_TWO]] if is_plural else [])], is_plural

    def _happens(self, what: str) -> bool:
        return self._chance.random() < _SHARES[what]


def make_pairs(count: int = PAIRS, seed: int = SEED) -> list[tuple[str, str]]:
    """Different sentences with their translations."""
    grammar = Grammar(random.Random(seed))  # noqa: S311 (made-up data)
    pairs: dict[tuple[str, str], None] = {}
    while len(pairs) < count:
        pairs[grammar.make_pair()] = None
    return list(pairs)


def write_pairs(path: Path, count: int = PAIRS) -> None:
    """Write made-up pairs, a line each with a tab between."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{source}\t{target}\n" for source, target in make_pairs(count)), encoding="utf-8")
