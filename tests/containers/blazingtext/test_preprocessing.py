"""Raw text becomes sentences of words, and some labelled ones are held out."""

from pathlib import Path

import pytest

from containers.blazingtext.preprocessing.__main__ import main
from containers.blazingtext.preprocessing.program import clean
from containers.shared.job.outputs import Outputs
from tests.containers.job_roots import list_files, write_text


def run(root: Path, *arguments: str) -> int:
    return main(list(arguments), root, Outputs())


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("The river -- it runs, doesn't it?", "the river it runs doesn't it"),
        ("__label__Sports GOAL! 3:2 in extra-time", "__label__Sports goal 3 2 in extra-time"),
        ("goal __label__b", "__label__b goal"),
        ("naïve \uff21\uff22", "naïve ab"),
        ("--- ...", ""),
        ("__label__a !!!", ""),
    ],
)
def test_leaves_words_in_lower_case_and_labels_as_they_are(line: str, sentence: str) -> None:
    assert clean(line) == sentence


def test_learns_from_all_sentences_without_labels(tmp_path: Path) -> None:
    write_text(tmp_path, "One line.\n\nAnother line.\n" * 50, "a.txt")

    assert run(tmp_path) == 0

    assert (tmp_path / "processing/train/train.txt").read_text().splitlines() == ["one line", "another line"] * 50
    assert (tmp_path / "processing/validation/validation.txt").read_text() == ""
    assert "processing/record/inputs.json" in list_files(tmp_path)


def test_holds_the_same_labelled_sentences_out_for_a_seed(tmp_path: Path) -> None:
    parts = []
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        write_text(tmp_path / name, "".join(f"__label__x word{number}\n" for number in range(500)), "a.txt")
        assert run(tmp_path / name, "--seed", seed, "--train-test-split-ratio", "0.2") == 0
        parts.append((tmp_path / name / "processing/validation/validation.txt").read_text())

    assert parts[0] == parts[1] != parts[2]
    assert 60 < len(parts[0].splitlines()) < 140


@pytest.mark.parametrize(
    ("text", "arguments", "message"),
    [
        (b"one\ntw\xffo\n", [], "a.txt, line 2: not UTF-8: invalid start byte; convert the file"),
        (b" \n...\n", [], "no sentence to learn from in 1 files; add text, or a smaller ratio"),
        (b"one", ["--seed", "x"], "--seed: 'x' is not a whole number from 0 on, such as 42"),
        (b"one", ["--train-test-split-ratio", "1"], "--train-test-split-ratio: '1' is not a number between 0 and 1"),
    ],
)
def test_refuses_text_and_arguments_with_the_reason(
    tmp_path: Path, text: bytes, arguments: list[str], message: str
) -> None:
    write_text(tmp_path, text, "a.txt")

    assert run(tmp_path, *arguments) == 1

    assert (tmp_path / "output/message").read_text().startswith(message)
    assert not list((tmp_path / "processing").glob("train/*"))


def test_refuses_a_folder_without_text(tmp_path: Path) -> None:
    write_text(tmp_path, "a,b", "a.csv")

    assert run(tmp_path) == 1

    assert "no .txt file in" in (tmp_path / "output/message").read_text()
