"""How a network is computed where there is no GPU, and what becomes of what cannot be compiled."""

from typing import Any

import pytest

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
