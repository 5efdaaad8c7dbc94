"""Parallel texts become numbered tokens with their vocabularies, and some pairs are held out."""

import json
from pathlib import Path

import pytest

from containers.seq2seq.preprocessing.__main__ import main
from containers.shared.job.outputs import Outputs
from headrace.recordio.sentences import Pair, read_pairs
from headrace.workloads import phrases
from tests.containers.job_roots import list_files, write_text


def run(root: Path, *arguments: str) -> int:
    return main(list(arguments), root, Outputs())


def read(root: Path, name: str) -> list[Pair]:
    with (root / "processing" / name).open("rb") as file:
        return list(read_pairs(file))


def test_numbers_tokens_by_how_frequent_they_are_in_what_is_learnt_from(tmp_path: Path) -> None:
    write_text(tmp_path, "so it goes .\tja ja .\n" * 50, "a.tsv")

    assert run(tmp_path) == 0

    train, validation = read(tmp_path, "train/train.rec"), read(tmp_path, "validation/val.rec")
    assert len(train) + len(validation) == 50
    assert set(map(str, train)) == {str(Pair([7, 6, 5, 4], [4, 4, 5]))}
    vocabularies = {
        name: json.loads((tmp_path / "processing/vocab" / name).read_text())
        for name in ("vocab.src.json", "vocab.trg.json")
    }
    assert vocabularies == {
        "vocab.src.json": {"<pad>": 0, "<unk>": 1, "<s>": 2, "</s>": 3, ".": 4, "goes": 5, "it": 6, "so": 7},
        "vocab.trg.json": {"<pad>": 0, "<unk>": 1, "<s>": 2, "</s>": 3, "ja": 4, ".": 5},
    }
    assert "processing/record/inputs.json" in list_files(tmp_path)


def test_reads_two_files_line_by_line_as_it_reads_one(tmp_path: Path) -> None:
    pairs = phrases.make_pairs(100)
    write_text(tmp_path / "one", "".join(f"{source}\t{target}\n" for source, target in pairs), "a.tsv")
    for place, name in enumerate(("news.de-en.src", "news.de-en.trg")):
        write_text(tmp_path / "two", "".join(f"{pair[place]}\n" for pair in pairs), name)

    assert [run(tmp_path / name) for name in ("one", "two")] == [0, 0]

    assert read(tmp_path / "one", "train/train.rec") == read(tmp_path / "two", "train/train.rec")


def test_holds_the_same_pairs_out_for_a_seed_and_numbers_no_more_tokens_than_asked_for(tmp_path: Path) -> None:
    parts = []
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        phrases.write_pairs(tmp_path / name / "processing/input/a.tsv", 200)
        assert run(tmp_path / name, "--seed", seed, "--train-test-split-ratio", "0.2", "--vocabulary-size", "6") == 0
        parts.append(read(tmp_path / name, "validation/val.rec"))

    assert parts[0] == parts[1] != parts[2]
    assert 20 < len(parts[0]) < 65
    assert len(json.loads((tmp_path / "a/processing/vocab/vocab.src.json").read_text())) == 4 + 6
    assert {1} < {token for pair in parts[0] for token in pair.source}


def test_takes_a_mark_in_a_text_for_a_token_that_is_unknown(tmp_path: Path) -> None:
    write_text(tmp_path, "<pad> a </s>\tb\n" * 50, "a.tsv")

    assert run(tmp_path) == 0

    assert read(tmp_path, "train/train.rec")[0] == Pair([1, 4, 1], [4])


@pytest.mark.parametrize(
    ("files", "arguments", "message"),
    [
        ({"a.txt": b"one"}, [], "no .tsv file in "),
        ({"a.tsv": b"one\tein\ntwo zwei\n"}, [], "a.tsv, line 2: 0 tabs, expected one, between a sentence and its"),
        ({"a.tsv": b"a\tb\tc\n"}, [], "a.tsv, line 1: 2 tabs, expected one"),
        ({"a.tsv": b"one\tein\ntw\xffo\tzwei\n"}, [], "a.tsv, line 2: not UTF-8: invalid start byte; convert the"),
        (
            {"a.src": "one\n".encode("utf-16-le"), "a.trg": "ein\n".encode("utf-16-le")},
            [],
            "a.src, line 1: has NUL characters, as UTF-16 has; convert the file to UTF-8",
        ),
        ({"a.src": b"one\n"}, [], "a.trg: missing; a needs a .src and a .trg file, whose lines translate each other"),
        ({"a.b.src": b"1\n", "a.trg": b"2\n"}, [], "a.src: missing; a needs a .src and a .trg file, whose lines tra"),
        ({"a.src": b"one\ntwo\n", "a.trg": b"ein\n"}, [], "a.trg: ends before line 2, which the other side still has"),
        ({"a.tsv": b"\tein\n \t \n\n"}, [], "0 pairs to learn from and 0 held out in 1 texts; there must be some of"),
        ({"a.tsv": b"a\tb"}, ["--vocabulary-size", "0"], "--vocabulary-size: '0' is not a whole number from 1 to 1000"),
        ({"a.tsv": b"a\tb"}, ["--seed", "x"], "--seed: 'x' is not a whole number from 0 on, such as 42"),
        ({"a.tsv": b"a\tb"}, ["--train-test-split-ratio", "1"], "--train-test-split-ratio: '1' is not a number betwe"),
    ],
)
def test_says_what_is_wrong_and_writes_nothing(
    tmp_path: Path, files: dict[str, bytes], arguments: list[str], message: str
) -> None:
    for name, content in files.items():
        write_text(tmp_path, content, name)

    assert run(tmp_path, *arguments) == 1

    assert (tmp_path / "output/message").read_text().startswith(message)
    assert {name for name in list_files(tmp_path) if not name.startswith(("processing/input", "output"))} == set()
