"""What our program has no use for is said, and what it cannot do is refused, all of it at once."""

import pytest

from containers.seq2seq.engine.hyperparameters import parse
from containers.shared.job.training_failures import HyperparameterError


def test_says_which_have_no_use_here(capsys: pytest.CaptureFixture[str]) -> None:
    parse({"bucket_width": "20", "rnn_first_residual_layer": "3", "batch_size": "8"})

    assert "hyperparameters_ignored names=bucket_width,rnn_first_residual_layer" in capsys.readouterr().err


def test_says_nothing_where_each_has_its_use(capsys: pytest.CaptureFixture[str]) -> None:
    parse({"batch_size": "8"})

    assert capsys.readouterr().err == ""


def test_names_everything_that_it_cannot_do() -> None:
    with pytest.raises(HyperparameterError) as refused:
        parse({"rnn_cell_type": "gru", "encoder_type": "cnn"})

    assert "hyperparameter rnn_cell_type: found 'gru', and our own program has only lstm" in str(refused.value)
    assert "hyperparameter encoder_type: found 'cnn', and our own program has only rnn" in str(refused.value)
