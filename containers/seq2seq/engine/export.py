"""Writing the network as two ONNX models, which hold data only and run no code: an encoder, and a step of a decoder."""

import numpy as np
import onnx

from containers.shared.job.onnx_graphs import Graph

from .architecture import Architecture, Attention, Start, Weights

FAR_BELOW = -1e9


def export_encoder(shape: Architecture, weights: Weights) -> onnx.ModelProto:
    """What some sources become: takes `source` and `lengths`, and gives memory, keys and the state to start from.

    Args:
        shape: The network's shape.
        weights: Its weights, as `Network.export` names them.
    """
    graph, hidden = _WeightedGraph(weights), shape.hidden
    values = graph.add("Transpose", graph.add("Gather", graph.weigh("source.weight"), "source"), perm=[1, 0, 2])
    last = ""
    for name, _ in shape.list_encoder_inputs():
        both, last, _ = graph.add_lstm(name, values, hidden // 2, "lengths", direction="bidirectional")
        values = graph.add("Reshape", graph.add("Transpose", both, perm=[0, 2, 1, 3]), graph.keep_numbers(0, 0, hidden))
    memory = graph.add("Transpose", values, perm=[1, 0, 2], output="memory")
    if shape.attention is Attention.DOT:
        graph.add("Identity", memory, output="keys")
    else:
        graph.add("MatMul", memory, graph.weigh("keys.weight", is_transposed=True), output="keys")
    graph.add_start(shape, memory, last)
    width = shape.attention_width if shape.attention is Attention.MLP else hidden
    state = ("float32", (None, shape.decoder_layers, hidden))
    return graph.finish(
        "encoder",
        {"source": ("int64", (None, None)), "lengths": ("int32", (None,))},
        {
            "memory": ("float32", (None, None, hidden)),
            "keys": ("float32", (None, None, width)),
            "hidden": state,
            "cell": state,
        },
    )


def export_decoder(shape: Architecture, weights: Weights) -> onnx.ModelProto:
    """One step of some translations: takes the last `tokens`, a state and a memory, and gives what comes next."""
    graph, layers, hidden = _WeightedGraph(weights), shape.decoder_layers, shape.hidden
    first = graph.keep_numbers(0)
    values = graph.add("Unsqueeze", graph.add("Gather", graph.weigh("target.weight"), "tokens"), first)
    before = [
        graph.add_several("Split", graph.add("Transpose", part, perm=[1, 0, 2]), count=layers, num_outputs=layers)
        for part in ("hidden", "cell")
    ]
    after: list[tuple[str, str]] = []
    for (name, _), start, cell in zip(shape.list_decoder_inputs(), *before, strict=True):
        both, last, kept = graph.add_lstm(name, values, hidden, "", start, cell)
        values = graph.add("Squeeze", both, graph.keep_numbers(1))
        after.append((last, kept))
    for place, output in enumerate(("next_hidden", "next_cell")):
        joined = graph.add("Concat", *(parts[place] for parts in after), axis=0)
        graph.add("Transpose", joined, perm=[1, 0, 2], output=output)
    graph.add_answer(shape, graph.add("Squeeze", values, first))
    state = ("float32", (None, layers, hidden))
    width = shape.attention_width if shape.attention is Attention.MLP else hidden
    return graph.finish(
        "decoder",
        {
            "tokens": ("int64", (None,)),
            "hidden": state,
            "cell": state,
            "memory": ("float32", (None, None, hidden)),
            "keys": ("float32", (None, None, width)),
            "mask": ("bool", (None, None)),
        },
        {
            "odds": ("float32", (None, shape.target_tokens)),
            "attention": ("float32", (None, None)),
            "next_hidden": state,
            "next_cell": state,
        },
    )


class _WeightedGraph(Graph):
    """A graph that keeps the weights that it uses."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self._weights = weights

    def weigh(self, name: str, *, is_transposed: bool = False) -> str:
        """A weight, by its name."""
        return self.keep(name, self._weights[name].T if is_transposed else self._weights[name])

    def add_lstm(
        self, name: str, values: str, units: int, lengths: str, *states: str, direction: str = "forward"
    ) -> tuple[str, ...]:
        """A layer: what it gives for each token, and its hidden and cell states behind the last one."""
        weights = [self.weigh(f"{name}.{kind}") for kind in ("weight", "recurrence", "bias")]
        return self.add_several(
            "LSTM", values, *weights, lengths, *states, count=3, hidden_size=units, direction=direction
        )

    def add_linear(self, name: str, values: str, output: str = "") -> str:
        """A layer that weights its inputs, and adds to them."""
        weight, bias = self.weigh(f"{name}.weight"), self.weigh(f"{name}.bias")
        return self.add("Gemm", values, weight, bias, transB=1, output=output)

    def add_start(self, shape: Architecture, memory: str, last: str) -> None:
        """The state that a decoder starts from."""
        if shape.start is Start.LAST:
            turned = self.add("Transpose", last, perm=[1, 0, 2])
            known = self.add("Reshape", turned, self.keep_numbers(0, shape.hidden))
        else:
            counts = self.add("Cast", self.add("Unsqueeze", "lengths", self.keep_numbers(1)), to=onnx.TensorProto.FLOAT)
            known = self.add("Div", self.add("ReduceSum", memory, self.keep_numbers(1), keepdims=0), counts)
        if shape.start is Start.ZERO:
            both = self.add("Tile", self.add("Sub", known, known), self.keep_numbers(1, 2 * shape.decoder_layers))
        else:
            both = self.add("Tanh", self.add_linear("start", known))
        sizes = self.keep_numbers(0, 2 * shape.decoder_layers, shape.hidden)
        halves = self.keep_numbers(shape.decoder_layers, shape.decoder_layers)
        self.add_several("Split", self.add("Reshape", both, sizes), halves, outputs=("hidden", "cell"), axis=1)

    def add_answer(self, shape: Architecture, values: str) -> None:
        """The next token's probabilities, and which tokens were looked at."""
        one = self.keep_numbers(1)
        if shape.attention is Attention.MLP:
            query = self.add("Unsqueeze", self.add_linear("query", values), one)
            both = self.add("Tanh", self.add("Add", query, "keys"))
            fitting = self.add("MatMul", both, self.weigh("score.weight", is_transposed=True))
            scores = self.add("Squeeze", fitting, self.keep_numbers(2))
        else:
            turned = self.add("Transpose", "keys", perm=[0, 2, 1])
            scores = self.add("Squeeze", self.add("MatMul", self.add("Unsqueeze", values, one), turned), one)
        masked = self.add("Where", "mask", scores, self.keep("far_below", np.array(FAR_BELOW, np.float32)))
        looked = self.add("Softmax", masked, axis=-1, output="attention")
        known = self.add("Squeeze", self.add("MatMul", self.add("Unsqueeze", looked, one), "memory"), one)
        both = self.add("Tanh", self.add_linear("combine", self.add("Concat", values, known, axis=1)))
        self.add("LogSoftmax", self.add_linear("output", both), axis=-1, output="odds")
