"""Reading parallel texts: `NAME.tsv`, a pair a line with a tab between, or `NAME.src` and `NAME.trg`, line by line.

Tokens stand between blanks. A pair with an empty side is left out, as SageMaker's example does.
"""

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from . import contract


class PairsError(Exception):
    """Texts or arguments that cannot be used; the message says what, where and what to do."""


def find_texts(folder: Path) -> list[tuple[Path, ...]]:
    """The files of pairs, and the two files of each pair of texts.

    Raises:
        PairsError: If there are none, or one of two is missing.
    """
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    found: list[tuple[Path, ...]] = [(path,) for path in paths if path.suffix == contract.PAIRS_SUFFIX]
    sides = [path for path in paths if path.suffix in (contract.SOURCE_SUFFIX, contract.TARGET_SUFFIX)]
    for stem in sorted({path.with_suffix("") for path in sides}):
        # A stem may have dots of its own, as in news.de-en.src.
        both = tuple(
            stem.with_name(f"{stem.name}{suffix}") for suffix in (contract.SOURCE_SUFFIX, contract.TARGET_SUFFIX)
        )
        for path in both:
            if path not in sides:
                raise PairsError(
                    f"{path.relative_to(folder).as_posix()}: missing; {stem.name} needs a {contract.SOURCE_SUFFIX} and "
                    f"a {contract.TARGET_SUFFIX} file, whose lines translate each other"
                )
        found.append(both)
    if not found:
        raise PairsError(
            f"no {contract.PAIRS_SUFFIX} file in {folder}, nor a {contract.SOURCE_SUFFIX} file with its "
            f"{contract.TARGET_SUFFIX}; check that the job's input names a prefix with at least one"
        )
    return found


def read_texts(folder: Path, texts: Sequence[tuple[Path, ...]]) -> Iterator[tuple[list[str], list[str]]]:
    """The tokens of each pair, in the order of the files and lines."""
    for paths in texts:
        pairs = _read_pairs(folder, *paths) if len(paths) == 1 else _read_sides(folder, *paths)
        yield from ((source, target) for source, target in pairs if source and target)


def _read_pairs(folder: Path, path: Path) -> Iterator[tuple[list[str], list[str]]]:
    for number, line in enumerate(_read_lines(folder, path), start=1):
        sides = line.split("\t")
        if line.strip() and len(sides) != 2:
            raise PairsError(
                f"{path.relative_to(folder).as_posix()}, line {number}: {len(sides) - 1} tabs, expected one, between a "
                "sentence and its translation"
            )
        if line.strip():
            yield sides[0].split(), sides[1].split()


def _read_sides(folder: Path, source: Path, target: Path) -> Iterator[tuple[list[str], list[str]]]:
    lines = zip_longest(_read_lines(folder, source), _read_lines(folder, target))
    for number, (line, translation) in enumerate(lines, start=1):
        if line is None or translation is None:
            short = source if line is None else target
            raise PairsError(
                f"{short.relative_to(folder).as_posix()}: ends before line {number}, which the other side still has; "
                "line by line, the two must translate each other"
            )
        yield line.split(), translation.split()


def _read_lines(folder: Path, path: Path) -> Iterator[str]:
    name = path.relative_to(folder).as_posix()
    with path.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
            except UnicodeDecodeError as error:
                raise PairsError(f"{name}, line {number}: not UTF-8: {error.reason}; convert the file") from error
            # UTF-16 without a mark at its beginning is UTF-8 with NUL between the letters.
            if "\0" in text:
                raise PairsError(f"{name}, line {number}: has NUL characters, as UTF-16 has; convert the file to UTF-8")
            yield text
