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


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"beam_size": "1001"}, "beam_size: found 1001, and our own program takes up to 1000"),
        ({"max_seq_len_target": "10001"}, "max_seq_len_target: found 10001, and our own program takes up to 10000"),
        ({"weight_decay": "-1"}, "weight_decay: found -1, allowed: a number from 0"),
        ({"momentum": "-0.1", "optimizer_type": "sgd"}, "momentum: found -0.1, allowed: a number from 0"),
        ({"max_num_batches": "00"}, "max_num_batches: 0, which learns nothing"),
    ],
)
def test_refuses_what_no_training_or_endpoint_of_ours_takes(given: dict[str, str], message: str) -> None:
    with pytest.raises(HyperparameterError, match=f"hyperparameter {message}"):
        parse(given)
