"""A model learns from normalized images what the endpoint finds in the photographs themselves."""

import io
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from containers.images.inference.model import Model, load_model
from containers.shared.images.decoding import decode_photograph
from containers.shared.images.features import FeatureSettings, extract_features
from headrace.normalizer.normalize import normalize
from headrace.normalizer.options import Colour, Options, OutputFormat
from tests.containers.images.training.image_roots import Row, list_rows, run, write_image_job

JPEG, PNG = (Options(colour=Colour.RGB, output_format=form) for form in (OutputFormat.JPEG, OutputFormat.PNG))
by_format = pytest.mark.parametrize("options", [JPEG, PNG], ids=["jpeg", "png"])


def normalize_folder(source: Path, target: Path) -> Path:
    """A folder with the normalized image of every photograph of another, under the same names."""
    for image in source.rglob("*.jpg"):
        place = target / image.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(normalize(image.read_bytes(), JPEG))
    return target


def find_features(body: bytes) -> NDArray[np.float32]:
    settings = FeatureSettings()
    return extract_features(decode_photograph(io.BytesIO(body), settings.side), settings)


def count_hits(model: Model, folder: Path, rows: list[Row]) -> int:
    """How many images the endpoint's model takes for what they are."""
    bodies = [(folder / str(path)).read_bytes() for _, _, path in rows]
    found = [int(np.argmax(model.classify(body))) for body in bodies]
    return sum(number == row[1] for number, row in zip(found, rows, strict=True))


@pytest.mark.slow
@by_format
def test_gives_almost_the_same_features(photographs: Path, options: Options) -> None:
    for path in photographs.rglob("*.jpg"):
        body = path.read_bytes()
        original, normalized = find_features(body), find_features(normalize(body, options))
        likeness = original @ normalized / (np.linalg.norm(original) * np.linalg.norm(normalized))
        assert likeness > 0.98


@pytest.mark.slow
@by_format
def test_is_taken_for_the_same_class(trained_images: Path, photographs: Path, options: Options) -> None:
    model = load_model(trained_images / "model")

    for path in photographs.rglob("*.jpg"):
        body = path.read_bytes()
        original, normalized = model.classify(body), model.classify(normalize(body, options))
        assert np.argmax(original) == np.argmax(normalized)
        assert normalized == pytest.approx(original, abs=0.05)


@pytest.mark.slow
def test_scores_on_photographs_what_it_scored_in_training(tmp_path: Path, real_images: Path) -> None:
    train, held_out = list_rows(real_images, range(10)), list_rows(real_images, range(10, 14))
    normalized = normalize_folder(real_images, tmp_path / "normalized")
    write_image_job(tmp_path, normalized, train=train, validation=held_out)

    assert run(tmp_path) == 0

    metrics = json.loads((tmp_path / "output/data/evaluation.json").read_text())["metrics"]
    served = count_hits(load_model(tmp_path / "model"), real_images, held_out) / len(held_out)
    assert served > 0.65
    assert served == pytest.approx(metrics["validation:accuracy"], abs=0.05)
