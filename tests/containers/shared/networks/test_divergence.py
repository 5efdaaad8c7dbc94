"""A training whose numbers are none any more ends with what to lower."""

import math

import pytest

from containers.shared.job.training_failures import HyperparameterError
from containers.shared.networks.divergence import refuse_divergence


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_names_what_to_lower(loss: float) -> None:
    with pytest.raises(HyperparameterError) as refused:
        refuse_divergence([0.5, loss], "in epoch 3", learning_rate=1e30, clip_gradient=-1)

    assert str(refused.value) == (
        "the network's numbers grew beyond all bounds in epoch 3; lower learning_rate, 1e+30, or clip_gradient, -1"
    )


def test_lets_finite_losses_pass() -> None:
    refuse_divergence([0.5, 1e300], "in epoch 3", learning_rate=1)
