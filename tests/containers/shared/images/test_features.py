import numpy as np
import pytest
from numpy.typing import NDArray

from containers.shared.images.features import (
    PATTERNS,
    FeatureSettings,
    count_features,
    extract_features,
    find_gradients,
)

SETTINGS = FeatureSettings(side=64)


def any_pixels(seed: int = 3, side: int = 64) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8)


@pytest.mark.parametrize("side", [64, 96, 256])
def test_has_as_many_features_as_it_says(side: int) -> None:
    settings = FeatureSettings(side=side)

    features = extract_features(any_pixels(side=side), settings)

    assert features.shape == (count_features(settings),)
    assert features.dtype == np.float32


def test_gives_each_of_the_four_parts_the_length_one() -> None:
    features = extract_features(any_pixels(), SETTINGS)

    assert np.linalg.norm(features) == pytest.approx(2, rel=1e-6)


def test_copes_with_an_image_of_one_colour() -> None:
    assert np.isfinite(extract_features(np.full((64, 64, 3), 128, dtype=np.uint8), SETTINGS)).all()


def test_tells_the_59_uniform_patterns_apart() -> None:
    assert PATTERNS == 59


def test_tells_upright_from_level_edges() -> None:
    upright = np.zeros((64, 64, 3), dtype=np.uint8)
    upright[:, 32:] = 255
    edges = FeatureSettings(side=64, cells=(32,), orientations=4)

    across = extract_features(upright, edges)[:16].reshape(4, 4).sum(axis=0)
    down = extract_features(upright.transpose(1, 0, 2), edges)[:16].reshape(4, 4).sum(axis=0)

    assert (across.argmax(), down.argmax()) == (0, 1)
    assert across[1:].max() == down[[0, 2, 3]].max() == 0


def test_sees_colour_where_it_is() -> None:
    left = np.zeros((64, 64, 3), dtype=np.uint8)
    left[:, :32] = (255, 0, 0)

    features = extract_features(left, SETTINGS), extract_features(left[:, ::-1], SETTINGS)

    colours = [values[-16 * 72 :].reshape(4, 4, 72) for values in features]
    assert np.array_equal(colours[0][:, ::-1], colours[1])
    assert not np.array_equal(colours[0], colours[1])


def test_takes_each_gradient_from_the_colour_where_it_is_largest() -> None:
    colours = np.zeros((3, 8, 8), dtype=np.float32)
    colours[0, :, 4:] = 0.25
    colours[2, 4:] = -0.75

    sizes, angles = find_gradients(colours)

    assert (sizes[1, 4], angles[1, 4]) == (0.25, 0)
    assert (sizes[4, 1], angles[4, 1]) == (0.75, pytest.approx(1.5 * np.pi))
    assert (sizes[4, 4], angles[4, 4]) == (0.75, pytest.approx(1.5 * np.pi))
