import json
from collections.abc import Collection
from pathlib import Path

import pytest

from headrace.container_images.trial_data import make_request, write_image_job
from headrace.container_images.trials import TrialError, expect, list_job_arguments, order_trials
from headrace.recipes import ContainerImage, big_mart, images, list_container_images, normalizer


@pytest.mark.parametrize(
    ("asked", "run"),
    [
        ([big_mart.INFERENCE], [big_mart.PREPROCESSING, big_mart.TRAINING, big_mart.INFERENCE]),
        ([images.INFERENCE], [images.TRAINING, images.INFERENCE]),
        ([big_mart.PREPROCESSING], [big_mart.PREPROCESSING]),
        ([normalizer.BULK], [normalizer.BULK]),
        (list_container_images(), list(list_container_images())),
    ],
)
def test_runs_the_makers_of_a_containers_input_first(
    asked: Collection[ContainerImage], run: list[ContainerImage]
) -> None:
    assert order_trials(asked) == run


def test_runs_jobs_without_network_and_without_a_place_to_write(tmp_path: Path) -> None:
    arguments = " ".join(list_job_arguments(big_mart.TRAINING, tmp_path))

    assert "--read-only" in arguments
    assert "--network none" in arguments
    assert "--memory 2g" in arguments
    assert arguments.endswith(" train")


def test_gives_a_job_that_lives_by_the_network_addresses_and_credentials(tmp_path: Path) -> None:
    arguments = " ".join(list_job_arguments(normalizer.BULK, tmp_path))

    assert "--network none" in arguments
    assert "--env=AWS_ACCESS_KEY_ID=trial" in arguments
    assert arguments.endswith(" --source=s3://trial/images/ --destination=s3://trial/sets/")


def test_holds_out_one_photograph_of_each_class(tmp_path: Path) -> None:
    write_image_job(tmp_path, {})

    data = tmp_path / "input/data"
    rows = {kind: (data / f"{kind}_lst/{kind}.lst").read_text().splitlines() for kind in ("train", "validation")}
    assert {kind: len(lines) for kind, lines in rows.items()} == {"train": 9, "validation": 3}
    assert all((data / "validation" / line.split("\t")[2]).is_file() for line in rows["validation"])
    assert json.loads((tmp_path / "input/config/inputdataconfig.json").read_text()).keys() == {
        "train",
        "train_lst",
        "validation",
        "validation_lst",
    }


def test_asks_about_rows_without_the_answer() -> None:
    body, content_type, asked = make_request(big_mart.INFERENCE)

    assert content_type == "text/csv"
    assert [line.count(",") for line in body.decode().splitlines()] == [10] * (asked or 0)


def test_asks_about_a_jpeg() -> None:
    body, content_type, _ = make_request(images.INFERENCE)

    assert (body[:2], content_type) == (b"\xff\xd8", "application/x-image")


def test_shows_what_a_container_said_when_it_fails() -> None:
    with pytest.raises(TrialError, match=r"training exits with 2; its output:\nno memory"):
        expect(False, big_mart.TRAINING, "exits with 2", "no memory\n")
