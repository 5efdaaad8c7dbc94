import numpy as np
import pytest

from containers.big_mart.preprocessing.failures import SalesError
from containers.big_mart.preprocessing.splitting import choose_held_out_rows


@pytest.mark.parametrize(("rows", "ratio", "held_out"), [(8523, 0.1, 852), (10, 0.7, 7), (2, 0.5, 1)])
def test_holds_out_the_exact_number_of_rows(rows: int, ratio: float, held_out: int) -> None:
    assert choose_held_out_rows(rows, ratio=ratio, seed=1).sum() == held_out


@pytest.mark.parametrize("ratio", [0.01, 0.99])
def test_refuses_a_split_that_leaves_a_part_empty(ratio: float) -> None:
    with pytest.raises(SalesError, match="the input has 3 rows, too few to split"):
        choose_held_out_rows(3, ratio=ratio, seed=1)


def test_depends_on_the_seed_only() -> None:
    first, again, other = (choose_held_out_rows(100, ratio=0.5, seed=seed) for seed in (1, 1, 2))

    np.testing.assert_array_equal(first, again)
    assert (first != other).any()
