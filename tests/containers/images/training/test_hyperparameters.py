import pytest

from containers.images.training.hyperparameters import Hyperparameters, parse_hyperparameters
from containers.shared.job.training_failures import HyperparameterError


def test_has_defaults() -> None:
    assert parse_hyperparameters({}) == Hyperparameters()


def test_reads_every_hyperparameter() -> None:
    texts = {"image_size": "128", "inverse_regularization": "1e2", "mirror": "False", "max_bad_photographs": "3"}

    assert parse_hyperparameters(texts) == Hyperparameters(
        image_size=128, inverse_regularization=100, mirror=False, max_bad_photographs=3
    )


def test_ignores_what_the_platform_adds() -> None:
    assert parse_hyperparameters({"_tuning_objective_metric": "x", "sagemaker_region": "y"}) == Hyperparameters()


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("image_size", "100", "'100' is not one of 64, 96, 128, 160, 192, 224, 256"),
        ("inverse_regularization", "0", "'0' is not a number above 0"),
        ("inverse_regularization", "inf", "'inf' is not a number above 0"),
        ("inverse_regularization", "nan", "'nan' is not a number above 0"),
        ("inverse_regularization", "much", "'much' is not a number above 0"),
        ("mirror", "yes", "'yes' is neither true nor false"),
        ("max_bad_photographs", "-1", "'-1' is not a whole number from 0 to 2147483647"),
        ("max_bad_photographs", "9999999999", "'9999999999' is not a whole number from 0 to 2147483647"),
    ],
)
def test_refuses_values_out_of_range(name: str, text: str, reason: str) -> None:
    with pytest.raises(HyperparameterError) as raised:
        parse_hyperparameters({name: text})

    assert str(raised.value) == f"hyperparameter {name}: {reason}"


def test_refuses_unknown_names() -> None:
    with pytest.raises(HyperparameterError) as raised:
        parse_hyperparameters({"epochs": "2", "num_layers": "18"})

    assert str(raised.value) == (
        "unknown hyperparameter epochs, num_layers; "
        "known are image_size, inverse_regularization, mirror, max_bad_photographs"
    )
