"""The network while it learns, in PyTorch."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from headrace.recordio.sentences import PAD

from .architecture import Architecture, Attention, Start, Weights
from .decoding import Floats, Memory, Numbers, State

# PyTorch has the gates of an LSTM in the order input, forget, cell, output; ONNX has input, output, forget, cell.
_GATES = (0, 3, 1, 2)
_FAR_BELOW = -1e9


class Network:
    """A network that learns, and translates step by step as what it is exported to does.

    Args:
        architecture: Its shape.
        dropout: The part of the numbers left out while it learns: of source and target tokens, and of states.
        device: Where it is computed.
    """

    def __init__(self, architecture: Architecture, dropout: tuple[float, float, float], device: str) -> None:
        shape, hidden = architecture, architecture.hidden
        self.architecture, self.device = architecture, device
        self._dropout = dropout
        self.layers: dict[str, Any] = {
            "source": nn.Embedding(shape.source_tokens, shape.source_width, padding_idx=PAD),
            "target": nn.Embedding(shape.target_tokens, shape.target_width, padding_idx=PAD),
            "combine": nn.Linear(2 * hidden, hidden),
            "output": nn.Linear(hidden, shape.target_tokens),
        }
        for name, width in shape.list_encoder_inputs():
            self.layers[name] = nn.LSTM(width, hidden // 2, batch_first=True, bidirectional=True)
        for name, width in shape.list_decoder_inputs():
            self.layers[name] = nn.LSTM(width, hidden, batch_first=True)
        if shape.start is not Start.ZERO:
            self.layers["start"] = nn.Linear(hidden, 2 * shape.decoder_layers * hidden)
        if shape.attention is Attention.MLP:
            self.layers["query"] = nn.Linear(hidden, shape.attention_width)
            self.layers["score"] = nn.Linear(shape.attention_width, 1, bias=False)
        if shape.attention is not Attention.DOT:
            width = shape.attention_width if shape.attention is Attention.MLP else hidden
            self.layers["keys"] = nn.Linear(hidden, width, bias=False)
        self.modules = nn.ModuleList(self.layers.values()).to(device)

    def score(self, source: Numbers, lengths: Numbers, target: Numbers) -> Any:
        """The scores of each next token, by sentence, place and token; their softmax are the probabilities.

        Args:
            source: Tokens by sentence, padded.
            lengths: How many tokens each source has.
            target: Tokens by sentence, behind a beginning.
        """
        memory, state = self._encode(source, lengths)
        return self._decode(torch.from_numpy(target).to(self.device), state, memory)[0]

    def encode(self, source: Numbers, lengths: Numbers) -> tuple[Memory, State]:
        """What it knows of some sources, as arrays."""
        with torch.no_grad():
            memory, state = self._encode(source, lengths)
        return Memory(*(_to_array(part) for part in memory)), State(*(_to_array(part) for part in state))

    def step(self, tokens: Numbers, state: State, memory: Memory) -> tuple[Floats, Floats, State]:
        """The next tokens' logarithms of probabilities, what was looked at, and the state then, as arrays."""
        given = torch.from_numpy(tokens[:, None]).to(self.device)
        with torch.no_grad():
            scores, looked, after = self._decode(given, self._place(state), self._place(memory))
        odds = functional.log_softmax(scores[:, 0], 1)
        return _to_array(odds), _to_array(looked[:, 0]), State(*(_to_array(part) for part in after))

    def export(self) -> Weights:
        """The weights of the models that are served, by the names that they have there."""
        weights: Weights = {}
        for name, layer in self.layers.items():
            if isinstance(layer, nn.LSTM):
                weights.update(_export_lstm(name, layer))
                continue
            weights[f"{name}.weight"] = _to_array(layer.weight)
            if getattr(layer, "bias", None) is not None:
                weights[f"{name}.bias"] = _to_array(layer.bias)
        return weights

    def _place(self, arrays: tuple[NDArray[Any], ...]) -> tuple[Any, ...]:
        return tuple(torch.from_numpy(array).to(self.device) for array in arrays)

    def _encode(self, source: Numbers, lengths: Numbers) -> tuple[tuple[Any, Any, Any], tuple[Any, Any]]:
        values = self._drop(self.layers["source"](torch.from_numpy(source).to(self.device)), 0)
        counts = torch.from_numpy(lengths)
        last: Any = None
        for name, _ in self.architecture.list_encoder_inputs():
            packed = pack_padded_sequence(values, counts, batch_first=True, enforce_sorted=False)
            packed, (last, _) = self.layers[name](packed)
            values, _ = pad_packed_sequence(packed, batch_first=True)
        keys = self.layers["keys"](values) if "keys" in self.layers else values
        mask = torch.arange(values.shape[1])[None] < counts[:, None]
        return (values, keys, mask.to(self.device)), self._start(values, last, counts.to(self.device))

    def _start(self, values: Any, last: Any, counts: Any) -> tuple[Any, Any]:
        shape = self.architecture
        sizes = (len(values), 2 * shape.decoder_layers, shape.hidden)
        if shape.start is Start.ZERO:
            both = torch.zeros(sizes, device=self.device)
        else:
            mean = values.sum(1) / counts[:, None]
            known = torch.cat((last[0], last[1]), 1) if shape.start is Start.LAST else mean
            both = torch.tanh(self.layers["start"](known)).reshape(sizes)
        hidden, cell = both.split(shape.decoder_layers, 1)
        return hidden, cell

    def _decode(self, tokens: Any, state: tuple[Any, ...], memory: tuple[Any, ...]) -> tuple[Any, Any, tuple[Any, Any]]:
        values = self._drop(self.layers["target"](tokens), 1)
        hidden, cell = [], []
        for layer, (name, _) in enumerate(self.architecture.list_decoder_inputs()):
            before = tuple(part[:, layer][None].contiguous() for part in state)
            values, (after_hidden, after_cell) = self.layers[name](values, before)
            hidden.append(after_hidden[0])
            cell.append(after_cell[0])
        known, keys, mask = memory
        looked = self._compare(values, keys).masked_fill(~mask[:, None], _FAR_BELOW).softmax(-1)
        both = torch.tanh(self.layers["combine"](torch.cat((values, looked @ known), -1)))
        after = (torch.stack(hidden, 1), torch.stack(cell, 1))
        return self.layers["output"](self._drop(both, 2)), looked, after

    def _compare(self, values: Any, keys: Any) -> Any:
        """How well each state fits each token, by sentence, place in the target and place in the source."""
        if self.architecture.attention is not Attention.MLP:
            return values @ keys.transpose(1, 2)
        both = torch.tanh(self.layers["query"](values)[:, :, None] + keys[:, None])
        return self.layers["score"](both)[..., 0]

    def _drop(self, values: Any, place: int) -> Any:
        return functional.dropout(values, self._dropout[place], self.modules.training)


def _export_lstm(name: str, layer: Any) -> Weights:
    """A layer's weights by direction, as ONNX has them."""
    found: dict[str, list[NDArray[np.float32]]] = {"weight": [], "recurrence": [], "bias": []}
    for suffix in ("", "_reverse")[: 2 if layer.bidirectional else 1]:
        arrays = {
            kind: _order(_to_array(getattr(layer, f"{kind}_l0{suffix}")))
            for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        }
        found["weight"].append(arrays["weight_ih"])
        found["recurrence"].append(arrays["weight_hh"])
        found["bias"].append(np.concatenate((arrays["bias_ih"], arrays["bias_hh"])))
    return {f"{name}.{kind}": np.stack(arrays) for kind, arrays in found.items()}


def _order(array: NDArray[np.float32]) -> NDArray[np.float32]:
    gates = np.split(array, len(_GATES))
    return np.concatenate([gates[place] for place in _GATES])


def _to_array(tensor: Any) -> NDArray[Any]:
    array: NDArray[Any] = tensor.detach().cpu().numpy()
    return array
