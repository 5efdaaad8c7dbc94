"""The networks are those of the built-in algorithm's numbers of layers."""

import pytest

from containers.resnet.architecture import design
from headrace.algorithms.image_classification import LARGE_UNITS, SMALL_LAYERS


@pytest.mark.parametrize(
    ("layers", "side"), [*((layers, 28) for layers in SMALL_LAYERS), *((layers, 224) for layers in LARGE_UNITS)]
)
def test_has_as_many_layers_as_it_is_called(layers: int, side: int) -> None:
    architecture = design(layers, side, 10)

    counted = [convolution for convolution in architecture.list_convolutions() if "shortcut" not in convolution.name]
    assert len(counted) + 1 == layers


@pytest.mark.parametrize(
    ("side", "kernel", "is_pooled"), [(28, 3, False), (32, 3, False), (33, 7, True), (224, 7, True)]
)
def test_makes_large_photographs_smaller_at_once(side: int, kernel: int, is_pooled: bool) -> None:
    architecture = design(20 if side <= 28 else 18, side, 2)

    assert (architecture.stem.kernel, architecture.is_pooled) == (kernel, is_pooled)


@pytest.mark.parametrize(("layers", "side", "width"), [(20, 28, 64), (18, 32, 512), (50, 64, 2048)])
def test_describes_a_photograph_with_as_many_numbers_as_the_paper(layers: int, side: int, width: int) -> None:
    assert design(layers, side, 2).width == width


def test_joins_convolutions_that_fit() -> None:
    for unit in design(50, 64, 2).units:
        inputs = unit.steps[0].inputs
        for before, after in zip(unit.steps, unit.steps[1:], strict=False):
            assert before.outputs == after.inputs
        if unit.shortcut:
            assert (unit.shortcut.inputs, unit.shortcut.outputs) == (inputs, unit.steps[-1].outputs)
        else:
            assert inputs == unit.steps[-1].outputs
