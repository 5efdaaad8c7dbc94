"""Records are changed as Pillow would, in the way that was drawn."""

from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from tests.torch_packages import require_torch

HEIGHT, WIDTH = 40, 56


@pytest.fixture(scope="module")
def changing() -> Any:
    require_torch()
    from containers.resnet import changing

    return changing


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    """Large soft spots, as photographs have."""
    drawn = np.random.default_rng(3).integers(0, 256, (5, 7, 3), np.uint8)
    return Image.fromarray(drawn).resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC)


def scale(changing: Any, pixels: np.ndarray, box: tuple[float, ...], side: int) -> np.ndarray:
    import torch

    values = changing.scale(torch.from_numpy(pixels[None].copy()), torch.tensor([box]), side, torch.float32)
    return np.asarray(values[0].permute(1, 2, 0).numpy())


@pytest.mark.parametrize("side", [8, 40, 64])
@pytest.mark.parametrize("box", [(0.0, 0.0, 40.0, 56.0), (3.25, 10.5, 20.0, 31.75), (30.0, 1.0, 9.0, 8.5)])
@pytest.mark.parametrize("is_mirrored", [False, True])
def test_scales_a_part_as_pillow_does(
    changing: Any, picture: Image.Image, side: int, box: tuple[float, ...], *, is_mirrored: bool
) -> None:
    top, left, height, width = box
    expected = picture.resize((side, side), Image.Resampling.BILINEAR, (left, top, left + width, top + height))
    turned = np.asarray(expected)[:, ::-1] if is_mirrored else np.asarray(expected)

    found = scale(changing, np.asarray(picture), (top, left, height, -width if is_mirrored else width), side)

    # Pillow rounds to whole levels after rows and after columns.
    assert np.abs(found - turned.astype(np.float32)).max() <= 1.01


def test_repeats_grey_in_all_colours(changing: Any, picture: Image.Image) -> None:
    grey = np.asarray(picture.convert("L"))[:, :, None]

    found = scale(changing, grey, (0.0, 0.0, HEIGHT, WIDTH), 8)

    assert found.shape == (8, 8, 3)
    assert np.array_equal(found[..., 0], found[..., 2])


@pytest.mark.parametrize("factors", [(1.3, 1.0, 1.0), (1.0, 0.7, 1.0), (1.0, 1.0, 0.6), (0.8, 0.9, 1.2)])
def test_changes_colours_as_pillow_does(changing: Any, factors: tuple[float, ...]) -> None:
    import torch

    # Of middle levels, so that nothing is clipped in between.
    pixels = np.random.default_rng(5).integers(70, 150, (16, 16, 3), np.uint8)
    expected = Image.fromarray(pixels)
    for enhance, factor in zip(
        (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color), factors, strict=True
    ):
        expected = enhance(expected).enhance(factor)

    box, colours = torch.tensor([[0.0, 0.0, 16.0, 16.0]]), torch.tensor([factors])
    values = changing.change(torch.from_numpy(pixels[None].copy()), box, colours, 16, torch.float32)

    found = (values[0].permute(1, 2, 0).numpy() + 1) * 127.5
    assert np.abs(found - np.asarray(expected, np.float32)).max() < 4


def test_draws_parts_that_lie_within_and_mirrors_half_of_them(changing: Any) -> None:
    augmentation = changing.Augmentation(is_cropped=True, is_coloured=True)

    changes = changing.draw_changes(np.random.default_rng(1), 4000, (HEIGHT, WIDTH), augmentation)

    top, left, height, width = changes.boxes.T
    areas = height * np.abs(width) / (HEIGHT * WIDTH)
    assert min(top.min(), left.min()) >= 0
    assert (top + height).max() <= HEIGHT + 1e-3
    assert (left + np.abs(width)).max() <= WIDTH + 1e-3
    assert areas.min() > 0.07
    assert np.quantile(areas, 0.9) > 0.65
    assert 0.45 < np.mean(width < 0) < 0.55
    assert changes.colours.min() >= 0.6
    assert changes.colours.max() <= 1.4


def test_draws_other_numbers_for_a_first_step_than_for_the_order_of_its_epoch(changing: Any) -> None:
    order, step = np.random.default_rng((7, 3)), changing.open_chance(7, 3, 0, 0)

    assert order.random(4).tolist() != step.random(4).tolist()


def test_takes_all_of_a_record_where_nothing_is_changed(changing: Any) -> None:
    changes = changing.draw_changes(np.random.default_rng(1), 3, (HEIGHT, WIDTH), changing.Augmentation())

    assert changes.boxes.tolist() == [[0, 0, HEIGHT, WIDTH]] * 3
    assert changes.colours is None
