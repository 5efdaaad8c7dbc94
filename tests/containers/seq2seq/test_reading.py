"""The channels of a job: what is read of them, and what is refused."""

import json
from pathlib import Path

import pytest

from containers.seq2seq.engine.hyperparameters import Hyperparameters, parse
from containers.seq2seq.engine.reading import read_channel, read_vocabularies
from containers.seq2seq.engine.schedule import Schedule
from containers.shared.job.inputs import JobInputs
from containers.shared.job.training_failures import TrainingDataError
from containers.shared.job.training_job import read_job
from headrace.recordio.sentences import MARKS, Pair, dump_vocabulary, encode_pair
from tests.containers.job_roots import write_job

VOCABULARY = {token: number for number, token in enumerate((*MARKS, "a", "b"))}
PAIRS = (Pair([4, 5, 4], [5]), Pair([4], [4, 4, 4]))


def write(root: Path, pairs: tuple[Pair, ...] = PAIRS, **files: bytes) -> None:
    """A job with a channel of pairs and one of vocabularies, some files of which are others."""
    contents = {
        "train/train.rec": b"".join(map(encode_pair, pairs)),
        "vocab/vocab.src.json": dump_vocabulary(VOCABULARY).encode(),
        "vocab/vocab.trg.json": dump_vocabulary(VOCABULARY).encode(),
        **{name.replace("__", "/").replace("_", "."): content for name, content in files.items()},
    }
    for name, content in contents.items():
        (root / "given" / name).parent.mkdir(parents=True, exist_ok=True)
        if content:
            (root / "given" / name).write_bytes(content)
    write_job(root, {}, {name: root / "given" / name for name in ("train", "vocab")})


def read(root: Path) -> list[Pair]:
    job, inputs = read_job(root), JobInputs()
    return read_channel(root, job, "train", read_vocabularies(root, job, inputs), (2, 2), inputs)


def test_cuts_sentences_off_where_they_are_longer_than_the_job_takes(tmp_path: Path) -> None:
    write(tmp_path)

    assert read(tmp_path) == [Pair([4, 5], [5]), Pair([4], [4, 4])]


@pytest.mark.parametrize(
    ("pairs", "files", "message"),
    [
        (
            (Pair([4], [4]), Pair([4], [6])),
            {},
            "channel 'train', train.rec, record 1: target has a token 6, but its",
        ),
        ((Pair([-1], [4]),), {}, "channel 'train', train.rec, record 0: source has a token -1, but its vocabulary"),
        ((Pair([], [4]),), {}, "channel 'train', train.rec, record 0: source is empty; leave the pair out"),
        (PAIRS, {"train__train_rec": b"abcdefgh"}, "channel 'train', train.rec: record 0 at byte 0: starts with 61 62"),
        (
            PAIRS,
            {"train__train_rec": b"", "train__a_txt": b"a"},
            "channel 'train' has no pair in files named *.rec,",
        ),
        (PAIRS, {"vocab__vocab_trg_json": b""}, "channel 'vocab' has no vocab.trg.json, only vocab.src.json"),
        (
            PAIRS,
            {"vocab__vocab_src_json": b"[]"},
            "channel 'vocab', vocab.src.json: it is not a JSON object that num",
        ),
    ],
)
def test_says_what_is_wrong_with_a_channel(
    tmp_path: Path, pairs: tuple[Pair, ...], files: dict[str, bytes], message: str
) -> None:
    write(tmp_path, pairs, **files)

    with pytest.raises(TrainingDataError) as caught:
        read(tmp_path)

    assert str(caught.value).startswith(message)


def make(**given: object) -> Hyperparameters:
    return parse({name: json.dumps(value).strip('"') for name, value in given.items()})


def test_lowers_the_rate_where_the_metric_stays_where_it_is() -> None:
    schedule = Schedule(make(learning_rate=1, plateau_reduce_lr_threshold=2, plateau_reduce_lr_factor=0.5))
    rates = []
    for perplexity in (9, 8, 8, 8, 8, 8, 7, 7):
        schedule.take(perplexity)
        rates.append(schedule.find_rate(0))

    assert rates == [1, 1, 1, 0.5, 0.5, 0.25, 0.25, 0.25]


@pytest.mark.parametrize(("kind", "later"), [("fixed_rate_inv_t", 1 / 3), ("fixed_rate_inv_sqrt_t", 7**-0.5)])
def test_halves_the_rate_after_half_a_life(kind: str, later: float) -> None:
    asked = make(
        learning_rate=1, lr_scheduler_type=kind, fixed_rate_lr_half_life=2, checkpoint_frequency_num_batches=10
    )

    rates = [Schedule(asked).find_rate(batches) for batches in (0, 20, 40)]

    assert rates == pytest.approx([1, 0.5, later])


def test_keeps_the_best_and_stops_unless_epochs_are_counted() -> None:
    for given, stops in (({}, True), ({"max_num_epochs": 9}, False)):
        schedule = Schedule(make(optimized_metric="bleu", checkpoint_threshold=2, **given))

        assert [schedule.take(bleu) for bleu in (0.1, 0.3, 0.2, 0.3)] == [True, True, False, False]
        assert schedule.has_stopped_gaining is stops


def test_has_the_published_defaults_and_what_follows_from_them() -> None:
    asked = make(rnn_num_hidden=512)

    assert (asked.batch_size, asked.beam_size, asked.optimizer_type, asked.learning_rate) == (64, 5, "adam", 0.0003)
    assert (asked.rnn_attention_num_hidden, asked.max_num_epochs, asked.seed) == (512, None, 0)
