"""Hyperparameters have the names, bounds and defaults of the built-in algorithm, and what ours lacks is refused."""

import pytest

from containers.resnet.hyperparameters import parse_hyperparameters
from containers.shared.job.training_failures import HyperparameterError

NEEDED = {"num_classes": "257", "num_training_samples": "15420"}
BOOK = {
    **NEEDED,
    "num_layers": "18",
    "image_shape": "3,224,224",
    "mini_batch_size": "64",
    "epochs": "2",
    "learning_rate": "0.01",
}


def test_takes_those_of_the_book() -> None:
    hyperparameters = parse_hyperparameters({**BOOK, "_tuning_objective_metric": "validation:accuracy"})

    assert (hyperparameters.num_layers, hyperparameters.side, hyperparameters.learning_rate) == (18, 224, 0.01)
    assert (hyperparameters.momentum, hyperparameters.weight_decay) == (0.9, 0.0001)
    assert hyperparameters.lr_scheduler_steps == ()
    assert not hyperparameters.is_augmented


def test_has_the_defaults_of_the_published_table() -> None:
    hyperparameters = parse_hyperparameters(NEEDED)

    assert (hyperparameters.num_layers, hyperparameters.side, hyperparameters.epochs) == (152, 224, 30)
    assert (hyperparameters.optimizer, hyperparameters.early_stopping) == ("sgd", False)


def test_reads_lists_and_switches() -> None:
    hyperparameters = parse_hyperparameters(
        {**BOOK, "lr_scheduler_step": "20, 10", "early_stopping": "True", "use_weighted_loss": "1", "seed": "5"}
    )

    assert hyperparameters.lr_scheduler_steps == (10, 20)
    assert hyperparameters.early_stopping
    assert hyperparameters.use_weighted_loss
    assert hyperparameters.seed == 5


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"num_layer": "18"}, "num_layer: image classification has no such hyperparameter; did you mean num_layers?"),
        ({"num_layers": "19"}, "num_layers: found '19', allowed: one of 18, 34, 50, 101, 152, 200, 20, 32,"),
        ({"num_layers": "20"}, "num_layers: 20, but photographs of side 224 take 18, 34, 50, 101, 152, 200"),
        ({"image_shape": "3,28,28"}, "num_layers: 18, but photographs of side 28 take 20, 32, 44, 56, 110"),
        ({"image_shape": "1,28,28"}, "image_shape: found '1,28,28', and our own program takes 3,SIDE,SIDE"),
        ({"image_shape": "3,224,200"}, "image_shape: found '3,224,200'"),
        ({"image_shape": "3,4,4"}, "image_shape: found '3,4,4'"),
        ({"learning_rate": "2"}, "learning_rate: found '2', allowed: a number from 0 up to 1"),
        ({"top_k": "1"}, "top_k: found '1', allowed: a whole number from 2"),
        ({"multi_label": "1"}, "multi_label: found '1', and our own program has only 0; leave it out"),
        ({"use_pretrained_model": "1"}, "use_pretrained_model: found '1', and our own program has only 0"),
        ({"precision_dtype": "float16"}, "precision_dtype: found 'float16', and our own program has only float32"),
        ({"augmentation_type": "crop_color"}, "augmentation_type: found 'crop_color', and our own program has only"),
        ({"resize": "256"}, "resize: our own program scales photographs to image_shape, whatever their size"),
        ({"lr_scheduler_step": "ten"}, "lr_scheduler_step: found 'ten', allowed: epochs, separated by commas"),
        ({"optimizer": "nag", "momentum": "0"}, "momentum: 0, but optimizer nag needs some"),
        ({"num_classes": "1000000"}, "num_classes: found 1000000, and our own program takes up to 10000"),
        ({"seed": "-1"}, "seed: '-1' is not a whole number from 0 to 2147483647"),
    ],
)
def test_refuses_by_name(given: dict[str, str], message: str) -> None:
    with pytest.raises(HyperparameterError) as refused:
        parse_hyperparameters({**BOOK, **given})

    assert str(refused.value).startswith(f"hyperparameter {message}")


def test_says_which_have_no_use_here(capsys: pytest.CaptureFixture[str]) -> None:
    parse_hyperparameters({**BOOK, "checkpoint_frequency": "2"})

    assert "hyperparameters_ignored names=checkpoint_frequency" in capsys.readouterr().err


def test_says_which_are_missing() -> None:
    with pytest.raises(HyperparameterError, match="hyperparameter num_training_samples: missing; a whole number"):
        parse_hyperparameters({"num_classes": "2"})
