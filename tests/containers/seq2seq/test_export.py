"""The models that are served compute what the architecture says."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from containers.seq2seq.engine.architecture import Architecture, Attention, Start
from containers.seq2seq.engine.decoding import Memory, State, pad
from containers.seq2seq.engine.export import export_decoder, export_encoder
from containers.seq2seq.engine.model import OnnxSteps
from containers.shared.serving.onnx_sessions import open_session
from tests.containers.seq2seq.translators import draw_weights, shape_network
from tests.torch_packages import require_torch

Values = NDArray[np.float64]
Weights = dict[str, NDArray[np.float32]]
SOURCES = [[4, 5, 6, 7], [8, 4]]
TOKENS = [[2, 2], [4, 5], [6, 4]]


def squash(values: Values) -> Values:
    return 1 / (1 + np.exp(-values))


def run_lstm(
    weights: Weights, name: str, inputs: Values, hidden: Values, cell: Values, direction: int = 0
) -> tuple[Values, Values, Values]:
    """A layer as its definition has it, over the tokens of one sentence: all states, and the last ones."""
    weight, recurrence, bias = (
        weights[f"{name}.{kind}"][direction].astype(float) for kind in ("weight", "recurrence", "bias")
    )
    both = bias[: len(weight)] + bias[len(weight) :]
    states = []
    for token in inputs:
        enter, leave, forget, content = np.split(weight @ token + recurrence @ hidden + both, 4)
        cell = squash(forget) * cell + squash(enter) * np.tanh(content)
        hidden = squash(leave) * np.tanh(cell)
        states.append(hidden)
    return np.array(states), hidden, cell


def encode(shape: Architecture, weights: Weights, source: list[int]) -> tuple[Values, Values, Values]:
    """The memory of one sentence, and the hidden and cell states that a decoder starts from."""
    values = weights["source.weight"][source].astype(float)
    nothing = np.zeros(shape.hidden // 2)
    last: Any = None
    for name, _ in shape.list_encoder_inputs():
        forward, ahead, _ = run_lstm(weights, name, values, nothing, nothing)
        backward, behind, _ = run_lstm(weights, name, values[::-1], nothing, nothing, 1)
        values, last = np.hstack((forward, backward[::-1])), np.hstack((ahead, behind))
    known = {Start.LAST: last, Start.AVERAGE: values.mean(axis=0)}.get(shape.start)
    size = 2 * shape.decoder_layers * shape.hidden
    start = np.zeros(size) if known is None else np.tanh(weights["start.weight"] @ known + weights["start.bias"])
    hidden, cell = start.reshape(2, shape.decoder_layers, shape.hidden)
    return values, hidden, cell


def answer(
    shape: Architecture, weights: Weights, token: int, state: tuple[Values, Values], memory: Values
) -> tuple[Values, Values, tuple[Values, Values]]:
    """The probabilities of one translation's next token, where it looks, and its state then."""
    values = weights["target.weight"][[token]].astype(float)
    after: list[tuple[Values, Values]] = []
    for layer, (name, _) in enumerate(shape.list_decoder_inputs()):
        values, hidden, cell = run_lstm(weights, name, values, state[0][layer], state[1][layer])
        after.append((hidden, cell))
    known = values[0]
    keys = memory if shape.attention is Attention.DOT else memory @ weights["keys.weight"].T
    if shape.attention is Attention.MLP:
        query = weights["query.weight"] @ known + weights["query.bias"]
        scores = np.tanh(query + keys) @ weights["score.weight"][0]
    else:
        scores = keys @ known
    looked = np.exp(scores) / np.exp(scores).sum()
    both = np.concatenate((known, looked @ memory))
    combined = np.tanh(weights["combine.weight"] @ both + weights["combine.bias"])
    odds = np.exp(weights["output.weight"] @ combined + weights["output.bias"])
    hidden, cell = (np.array([pair[place] for pair in after]) for place in (0, 1))
    return odds / odds.sum(), looked, (hidden, cell)


def open_steps(shape: Architecture, weights: Weights) -> OnnxSteps:
    models = (export_encoder(shape, weights), export_decoder(shape, weights))
    return OnnxSteps(*(open_session(Path(), model.SerializeToString()) for model in models))


@pytest.mark.parametrize("attention", list(Attention))
@pytest.mark.parametrize(("start", "layers"), [(Start.LAST, 2), (Start.AVERAGE, 1), (Start.ZERO, 2)])
def test_answers_as_the_definition_of_each_layer_has_it(attention: Attention, start: Start, layers: int) -> None:
    shape = shape_network(attention=attention, start=start, encoder_layers=layers, decoder_layers=layers)
    weights = draw_weights(shape)
    steps = open_steps(shape, weights)

    memory, state = steps.encode(*pad(SOURCES))
    found = []
    for tokens in TOKENS:
        odds, looked, state = steps.step(np.array(tokens), state, memory)
        found.append((odds, looked))

    for place, source in enumerate(SOURCES):
        known, hidden, cell = encode(shape, weights, source)
        expected = (hidden, cell)
        for tokens, (odds, looked) in zip(TOKENS, found, strict=True):
            probabilities, attended, expected = answer(shape, weights, tokens[place], expected, known)
            assert np.exp(odds[place]) == pytest.approx(probabilities, abs=1e-5)
            assert looked[place, : len(source)] == pytest.approx(attended, abs=1e-5)
            assert not looked[place, len(source) :].any()


@pytest.mark.parametrize("attention", list(Attention))
@pytest.mark.parametrize("start", list(Start))
def test_answers_as_the_network_that_has_learnt(attention: Attention, start: Start) -> None:
    require_torch()
    from containers.seq2seq.engine.network import Network

    network = Network(shape_network(attention=attention, start=start), (0, 0, 0), "cpu")
    network.modules.eval()
    steps = open_steps(network.architecture, network.export())

    found = [follow(each) for each in (network, steps)]

    for one, other in zip(*found, strict=True):
        assert one == pytest.approx(other, abs=1e-5)


def follow(steps: Any) -> list[NDArray[Any]]:
    """All that a network says of some translations."""
    memory, state = steps.encode(*pad(SOURCES))
    said: list[NDArray[Any]] = [*Memory(*memory), *State(*state)]
    for tokens in TOKENS:
        odds, looked, state = steps.step(np.array(tokens), state, memory)
        said += [odds, looked, *state]
    return said
