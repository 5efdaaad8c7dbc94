"""A training whose numbers are none any more ends with what to lower."""

import math

import pytest

from containers.shared.job.training_failures import HyperparameterError
from containers.shared.networks.divergence import advise_clipping, refuse_divergence


def refuse(number: float, besides: str = "") -> str:
    with pytest.raises(HyperparameterError) as refused:
        refuse_divergence([0.5, number], "in epoch 3", 1e30, besides)
    return str(refused.value)


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_names_what_to_lower(number: float) -> None:
    assert refuse(number) == "the network's numbers grew beyond all bounds in epoch 3; lower learning_rate, 1e+30"


def test_says_to_lower_the_bound_of_gradients_where_there_is_one() -> None:
    assert refuse(math.nan, advise_clipping(5)).endswith("; lower learning_rate, 1e+30, or clip_gradient, 5")


@pytest.mark.parametrize("most", [0, -1])
def test_says_to_bound_gradients_where_nothing_does(most: float) -> None:
    advice = f", or clip gradients: clip_gradient is {most}, which is off; set it above 0, for example to 1"

    assert refuse(math.nan, advise_clipping(most)).endswith(f"; lower learning_rate, 1e+30{advice}")


def test_lets_finite_numbers_pass() -> None:
    refuse_divergence([0.5, 1e300], "in epoch 3", 1)
