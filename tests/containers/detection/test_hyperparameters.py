"""Hyperparameters have the names, bounds and defaults of the built-in algorithm, and what ours lacks is refused."""

import pytest

from containers.detection.hyperparameters import parse_hyperparameters
from containers.shared.job.training_failures import HyperparameterError
from containers.shared.networks.hyperparameters import describe_hyperparameters

NEEDED = {"num_classes": "4", "num_training_samples": "3548"}


def test_has_the_defaults_of_the_published_table() -> None:
    hyperparameters = parse_hyperparameters({**NEEDED, "_tuning_objective_metric": "validation:mAP"})

    assert (hyperparameters.image_shape, hyperparameters.epochs, hyperparameters.mini_batch_size) == (300, 30, 32)
    assert (hyperparameters.optimizer, hyperparameters.learning_rate) == ("sgd", 0.001)
    assert (hyperparameters.nms_threshold, hyperparameters.overlap_threshold) == (0.45, 0.5)
    assert (hyperparameters.momentum, hyperparameters.weight_decay, hyperparameters.seed) == (0.9, 0.0005, 0)
    assert not hyperparameters.early_stopping


def test_reads_lists_and_switches_and_describes_them_by_name() -> None:
    given = {"lr_scheduler_step": "20, 10", "early_stopping": "True", "seed": "5", "use_pretrained_model": "0"}

    described = describe_hyperparameters(parse_hyperparameters({**NEEDED, **given}))

    assert described["lr_scheduler_steps"] == [10, 20]
    assert (described["early_stopping"], described["early_stopping_patience"], described["seed"]) == (True, 5, 5)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"num_classe": "4"}, "num_classe: object detection has no such hyperparameter; did you mean num_classes?"),
        ({"image_shape": "299"}, "image_shape: found '299', allowed: a whole number from 300"),
        ({"image_shape": "2000"}, "image_shape: found 2000, and our own program takes up to 1024"),
        ({"num_classes": "1000000"}, "num_classes: found 1000000, and our own program takes up to 10000"),
        ({"base_network": "vgg-16"}, "base_network: our own program has its own network"),
        ({"freeze_layer_pattern": "^conv1"}, "freeze_layer_pattern: our own program has its own network"),
        ({"use_pretrained_model": "1"}, "use_pretrained_model: found '1', and our own program begins without"),
        ({"lr_scheduler_step": "ten"}, "lr_scheduler_step: found 'ten', allowed: epochs, separated by commas"),
        ({"learning_rate": "0"}, "learning_rate: found '0', allowed: a number above 0 up to 1"),
        ({"optimizer": "nag"}, "optimizer: found 'nag', allowed: one of sgd, adam, rmsprop, adadelta"),
        ({"seed": "2147483648"}, "seed: '2147483648' is not a whole number from 0 to 2147483647"),
    ],
)
def test_refuses_by_name(given: dict[str, str], message: str) -> None:
    with pytest.raises(HyperparameterError) as refused:
        parse_hyperparameters({**NEEDED, **given})

    assert str(refused.value).startswith(f"hyperparameter {message}")


def test_says_which_have_no_use_here(capsys: pytest.CaptureFixture[str]) -> None:
    parse_hyperparameters({**NEEDED, "kv_store": "dist_sync", "label_width": "400"})

    assert "hyperparameters_ignored names=kv_store,label_width" in capsys.readouterr().err


def test_says_which_are_missing() -> None:
    with pytest.raises(HyperparameterError, match="hyperparameter num_training_samples: missing; a whole number"):
        parse_hyperparameters({"num_classes": "2"})
