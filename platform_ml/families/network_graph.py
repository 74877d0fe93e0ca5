"""Networks over lists as ONNX graphs, node by node: torch has no part in it, and equal weights give equal bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from platform_ml.families import graphs
from platform_ml.families.encoding import Encoding
from platform_ml.spec.libraries import library

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.families.lists import Lists
    from platform_ml.families.network_inputs import NetworkInputs
    from platform_ml.families.networks import Architecture, Part
    from platform_ml.families.outcome import Outcome

    Weights = Mapping[str, NDArray[np.float32]]

GATES = {"gru": (1, 0, 2), "lstm": (0, 3, 1, 2)}
"""ONNX's order of what torch has as (reset, update, new) and (input, forget, cell, output)."""


@dataclass(kw_only=True)
class _Graph:
    """Nodes and tensors so far."""

    onnx: Any
    nodes: list[Any] = field(default_factory=list)
    tensors: list[Any] = field(default_factory=list)

    def given(self, values: Any, kind: Any = "float32") -> str:
        """The name of a constant."""
        import numpy as np

        name = f"given_{len(self.tensors)}"
        self.tensors.append(self.onnx.numpy_helper.from_array(np.asarray(values, dtype=kind), name))
        return name

    def whole(self, *values: int) -> str:
        """The name of whole numbers."""
        return self.given(values, "int64")

    def node(self, kind: str, *sources: str, **how: Any) -> str:
        """The name of what a node gives first."""
        return self.several(kind, *sources, outputs=1, **how)[0]

    def several(self, kind: str, *sources: str, outputs: int, **how: Any) -> list[str]:
        """The names of all that a node gives."""
        names = [f"made_{len(self.nodes)}_{place}" for place in range(outputs)]
        self.nodes.append(self.onnx.helper.make_node(kind, list(sources), names, **how))
        return names

    def part(self, source: str, start: int, stop: int) -> str:
        """Some columns."""
        return self.node("Slice", source, self.whole(start), self.whole(stop), self.whole(1))

    def dense(self, source: str, weights: Weights, name: str) -> str:
        """A fully connected layer."""
        return self.node(
            "Gemm", source, self.given(weights[f"{name}.weight"]), self.given(weights[f"{name}.bias"]), transB=1
        )


def graph_of(inputs: NetworkInputs, how: Architecture, weights: Weights, outcome: Outcome) -> bytes:
    """One input `features` (n, raw_width) float32, one output `prediction`."""
    onnx = library("onnx", extra="onnx", user="Export to ONNX")
    made, known = _Graph(onnx=onnx), []
    if inputs.design is not None:
        nodes, tensors = inputs.design.onnx(onnx, graphs.INPUT, "table")
        made.nodes += nodes
        made.tensors += tensors
        known.append("table")
    at = inputs.encoded_width
    for place, (lists, part) in enumerate(zip(inputs.lists, how.parts, strict=True)):
        count = made.part(graphs.INPUT, at, at + 1)
        values = _values(made, made.part(graphs.INPUT, at + 1, at + lists.raw_width), count, lists)
        prefix = f"parts.{place}."
        own = {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}
        read = _recurrence if how.reads != "convolution" else _image if part.image else _sequence
        summary = read(made, values, count, how, part, own)
        there = made.node("Cast", made.node("Greater", count, made.given([0])), to=onnx.TensorProto.FLOAT)
        known.append(made.node("Mul", summary, there))
        at += lists.raw_width
    hidden = made.node("Relu", made.dense(made.node("Concat", *known, axis=1), weights, "hidden"))
    nodes, tensors = outcome.onnx(onnx, made.dense(hidden, weights, "out"), graphs.OUTPUT)
    encoding = Encoding(features=(), levels={}) if inputs.design is None else inputs.design.encoding
    return graphs.graph(
        [*made.nodes, *nodes], [*made.tensors, *tensors], encoding, width=inputs.raw_width, outputs=outcome.outputs
    )


def _values(made: _Graph, flat: str, count: str, lists: Lists) -> str:
    """(n, steps, channels) as `Lists.columns` has them."""
    import numpy as np

    number = made.onnx.TensorProto.FLOAT
    raw = made.node("Reshape", flat, made.whole(0, lists.steps, len(lists.names)))
    gone = made.node("IsNaN", raw)
    filled = made.node("Where", gone, made.given([[lists.means]]), raw)
    scaled = made.node("Div", made.node("Sub", filled, made.given([[lists.means]])), made.given([[lists.scales]]))
    if lists.ever_null:
        marks = made.node("Cast", made.node("Gather", gone, made.whole(*lists.ever_null), axis=2), to=number)
        scaled = made.node("Concat", scaled, marks, axis=2)
    places = made.given(np.arange(lists.steps)[None, :, None])
    there = made.node("Less", places, made.node("Unsqueeze", count, made.whole(2)))
    return made.node("Mul", scaled, made.node("Cast", there, to=number))


def _recurrence(made: _Graph, values: str, count: str, how: Architecture, part: Part, own: Weights) -> str:
    """ONNX's own cells; for GRU with the reset after the product, as torch has it."""
    import numpy as np

    lengths = made.node("Max", made.node("Squeeze", count, made.whole(1)), made.given([1]))
    lengths = made.node("Cast", lengths, to=made.onnx.TensorProto.INT32)
    found, last = made.node("Transpose", values, perm=[1, 0, 2]), ""
    for place in range(how.layers):
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        turned = {name: _turned(own[f"cells.{place}.{name}_l0"], how) for name in names}
        bias = np.concatenate([turned["bias_ih"], turned["bias_hh"]])
        sources = [made.given(some[None]) for some in (turned["weight_ih"], turned["weight_hh"], bias)]
        more = {"linear_before_reset": 1} if how.reads == "gru" else {}
        every, last = made.several(
            how.reads.upper(), found, *sources, lengths, outputs=2, hidden_size=how.width, **more
        )
        found = made.node("Squeeze", every, made.whole(1))
    return made.node("Squeeze", last, made.whole(0))


def _turned(values: NDArray[np.float32], how: Architecture) -> NDArray[np.float32]:
    import numpy as np

    gates = np.split(values, len(GATES[how.reads]))
    return np.concatenate([gates[place] for place in GATES[how.reads]])


def _sequence(made: _Graph, values: str, count: str, how: Architecture, part: Part, own: Weights) -> str:
    import numpy as np

    found = made.node("Transpose", values, perm=[0, 2, 1])
    places = made.given(np.arange(part.steps)[None, None, :])
    there = made.node("Less", places, made.node("Unsqueeze", count, made.whole(2)))
    there = made.node("Cast", there, to=made.onnx.TensorProto.FLOAT)
    for place in range(how.layers):
        found = made.node("Mul", made.node("Relu", _filters(made, found, how, own, place, axes=1)), there)
    total = made.node("ReduceSum", found, made.whole(2), keepdims=0)
    mean = made.node("Div", total, made.node("Max", count, made.given([1])))
    return made.node("Concat", mean, made.node("ReduceMax", found, axes=[2], keepdims=0), axis=1)


def _image(made: _Graph, values: str, count: str, how: Architecture, part: Part, own: Weights) -> str:
    height, width, _ = part.image or (0, 0, 0)
    pixels = made.node("Reshape", values, made.whole(0, height, width, part.planes))
    found = made.node("Transpose", pixels, perm=[0, 3, 1, 2])
    for place in range(how.layers):
        found = made.node("Relu", _filters(made, found, how, own, place, axes=2))
        if place + 1 < how.layers and min(height, width) > 1:
            found = made.node("MaxPool", found, kernel_shape=[2, 2], strides=[2, 2])
            height, width = height // 2, width // 2
    ends = [made.node(kind, found, axes=[2, 3], keepdims=0) for kind in ("ReduceMean", "ReduceMax")]
    return made.node("Concat", *ends, axis=1)


def _filters(made: _Graph, source: str, how: Architecture, own: Weights, place: int, *, axes: int) -> str:
    weight, bias = (made.given(own[f"filters.{place}.{name}"]) for name in ("weight", "bias"))
    return made.node("Conv", source, weight, bias, pads=[how.kernel // 2] * (2 * axes))
