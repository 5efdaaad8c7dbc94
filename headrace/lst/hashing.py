"""Hashes that order and divide: always the same for the same text, on whatever machine."""

import hashlib

# Whole numbers up to here survive tools that read them as floating point numbers.
HASH_BITS = 53


def hash_path(path: str) -> int:
    """A number below 2^53, evenly spread, that is always the same for the path."""
    digest = hashlib.sha256(path.encode("utf-8", "surrogateescape")).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - HASH_BITS)


def salt(seed: int) -> str:
    """What is put before a path so that each seed divides another way; seed 0 divides as lists are made."""
    return f"{seed}/" if seed else ""


def limit_hash(ratio: float) -> float:
    """The number that this part of all hashes is below."""
    return ratio * (1 << HASH_BITS)
