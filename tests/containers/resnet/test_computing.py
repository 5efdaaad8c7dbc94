"""How a network is computed where there is no GPU, and what becomes of what cannot be compiled."""

from typing import Any

import pytest

from containers.resnet.hyperparameters import parse_hyperparameters
from tests.containers.resnet.networks import HYPERPARAMETERS
from tests.torch_packages import require_torch


@pytest.fixture(scope="module")
def computing() -> Any:
    require_torch()
    from containers.resnet import computing

    return computing


def test_computes_plainly_on_a_processor(
    computing: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    chosen = computing.choose_computing()

    assert (chosen.device, chosen.is_compiled, chosen.pixel_type) == ("cpu", False, torch.float32)
    assert chosen.compile(abs, "abs", 1) is abs
    assert capsys.readouterr().out == "computing device=cpu compiled=False\n"


def test_computes_without_a_compiler_that_fails(
    computing: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    def fail(_function: Any) -> Any:
        def called(*_values: Any) -> Any:
            raise RuntimeError("there is no C compiler")

        return called

    monkeypatch.setattr(torch, "compile", fail)

    function = computing.Computing("cpu", is_compiled=True).compile(abs, "network", 1)

    assert function is abs
    assert "not_compiled what=network reason='RuntimeError: there is no C compiler'" in capsys.readouterr().err


def test_takes_what_is_compiled(computing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr(torch, "compile", lambda function: lambda value: function(value) + 1)

    assert computing.Computing("cpu", is_compiled=True).compile(abs, "abs", 1)(-4) == 5


def test_tries_a_network_with_what_it_is_fed_with(computing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from containers.resnet.learner import make_learner
    from containers.resnet.packed_fitting import Conditions, make_scorer
    from containers.resnet.together import Together

    tried = []

    def compile_nothing(_computing: Any, function: Any, _name: str, trial: Any) -> Any:
        tried.append(trial.dtype)
        return function

    # As float16 is on a GPU: another type than that of the weights.
    monkeypatch.setattr(computing.Computing, "pixel_type", torch.float64)
    monkeypatch.setattr(computing.Computing, "compile", compile_nothing)
    hyperparameters = parse_hyperparameters(HYPERPARAMETERS, of_packed=True)
    conditions = Conditions(computing.Computing("cpu", is_compiled=True), Together())

    make_scorer(hyperparameters, make_learner(hyperparameters).network, conditions)

    assert tried == [torch.float64]
