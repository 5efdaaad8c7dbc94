import pytest

from containers.shared.job.training_metrics import publish_metrics, round_metrics


def test_publishes_metrics_without_an_exponent(capsys: pytest.CaptureFixture[str]) -> None:
    publish_metrics({"validation:r2": -1e-7, "validation:accuracy": 0.5})

    assert capsys.readouterr().out == "metric validation:r2=-0.000000\nmetric validation:accuracy=0.500000\n"


def test_rounds_to_the_digits_that_are_published() -> None:
    assert round_metrics({"validation:rmse": 1039.12345678}) == {"validation:rmse": 1039.123457}
