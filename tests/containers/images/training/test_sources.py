from pathlib import Path

import pytest

from containers.images.training import normalizer
from containers.images.training.sources import ChannelPhotographs, open_sources
from containers.shared.images.decoding import DecodingError
from containers.shared.job.training_failures import JobError
from containers.shared.job.training_job import Job

DOOR = {"HEADRACE_IMAGES": "https://abc.lambda-url.eu-west-1.on.aws/"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The root of a job with a photograph in each channel."""
    for channel in ("train", "validation"):
        (tmp_path / "input/data" / channel).mkdir(parents=True)
        (tmp_path / "input/data" / channel / "a.jpg").write_bytes(channel.encode())
    return tmp_path


def a_job(*channels: str) -> Job:
    return Job(hyperparameters={}, channels=channels)


@pytest.mark.parametrize("environment", [{}, {"HEADRACE_IMAGES": ""}])
def test_takes_photographs_from_channels_where_no_normalizer_is_named(root: Path, environment: dict[str, str]) -> None:
    train, validation = open_sources(root, a_job("train", "validation"), environment)

    assert (train.name, validation.name) == ("channel 'train'", "channel 'validation'")
    for source, content in ((train, b"train"), (validation, b"validation")):
        with source.open("a.jpg") as photograph:
            assert photograph.read() == content


def test_takes_all_photographs_from_the_normalizer_where_one_is_named(root: Path) -> None:
    train, validation = open_sources(root, a_job("train_lst", "validation_lst"), DOOR)

    assert train is validation
    assert isinstance(train, normalizer.NormalizedImages)


@pytest.mark.parametrize("channel", ["train", "validation"])
def test_refuses_a_channel_of_photographs_beside_a_normalizer(root: Path, channel: str) -> None:
    with pytest.raises(JobError) as refused:
        open_sources(root, a_job(channel, "train_lst", "validation_lst"), DOOR)

    assert str(refused.value) == (
        f"the job has channel {channel!r}, and the variable HEADRACE_IMAGES says that photographs come from the "
        "normalizer; remove one of the two"
    )


def test_calls_a_file_that_cannot_be_opened_a_bad_image(tmp_path: Path) -> None:
    with pytest.raises(DecodingError, match="it cannot be opened: No such file or directory"):
        ChannelPhotographs(tmp_path).open("gone.jpg")
