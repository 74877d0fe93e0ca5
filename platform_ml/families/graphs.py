"""Models as ONNX graphs: one input `features` (n, features) float32, encoded; one output `prediction` (n,) float32.

Of several classes it is (n, classes).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from platform_ml.spec.errors import NotPortable
from platform_ml.spec.libraries import library
from platform_ml.spec.task import BINARY, MULTICLASS, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from platform_ml.families.encoding import Encoding

    Combine = Callable[[Any, Sequence[str]], tuple[list[Any], list[Any]]]

INPUT, OUTPUT, ENCODING = "features", "prediction", "platform_ml_encoding"
OPSET, TREES_OPSET, IR_VERSION = 17, 3, 10
"""What onnxruntime has run since 2023."""


def refuse_categories(user: str, encoding: Encoding) -> None:
    """Say that a graph would tell categories apart otherwise than the model does."""
    if encoding.levels:
        raise NotPortable(f"{user} with categories ({', '.join(encoding.levels)}) has no equal in ONNX")


def converted(function: str, model: Any, encoding: Encoding, task: Task, **options: Any) -> bytes:
    """What a converter of onnxmltools makes of a model whose features are called f0, f1, ..., in our shape."""
    import warnings

    tools = library("onnxmltools", extra="onnx", user="Export to ONNX")
    types = library("onnxmltools.convert.common.data_types", extra="onnx", user="Export to ONNX")
    kind = types.FloatTensorType([None, len(encoding.features)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # other people's, about their own dependencies
        made = getattr(tools, function)(model, initial_types=[(INPUT, kind)], **options)
    return finished(made.SerializeToString(), encoding, task)


def finished(content: bytes, encoding: Encoding, task: Task) -> bytes:
    """The graph with one output, without the names and labels that converters add; equal models give equal bytes."""
    onnx = library("onnx", extra="onnx", user="Export to ONNX")
    model = onnx.load_model_from_string(content)
    graph, helper = model.graph, onnx.helper
    maps = [node for node in graph.node if node.op_type == "ZipMap"]
    names = [output.name for output in graph.output]
    scores = maps[0].input[0] if maps else ("probabilities" if task.in_classes else names[0])
    for node in maps:
        graph.node.remove(node)
    if task is MULTICLASS:
        graph.node.append(helper.make_node("Identity", [scores], [OUTPUT]))
    else:
        graph.initializer.extend([helper.make_tensor("ours_flat", onnx.TensorProto.INT64, [1], [-1])])
        if task is BINARY:
            graph.initializer.extend([helper.make_tensor("ours_true", onnx.TensorProto.INT64, [1], [1])])
            graph.node.append(helper.make_node("Gather", [scores, "ours_true"], ["ours_score"], axis=1))
        flat = "ours_score" if task is BINARY else scores
        graph.node.append(helper.make_node("Reshape", [flat, "ours_flat"], [OUTPUT]))
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info(OUTPUT, onnx.TensorProto.FLOAT, _shape(task)))
    return _bytes(model, encoding)


def _shape(task: Task | None) -> list[str]:
    return ["rows", "classes"] if task is MULTICLASS else ["rows"]


def graph(
    nodes: Sequence[Any],
    tensors: Sequence[Any],
    encoding: Encoding,
    task: Task | None = None,
    *,
    width: int | None = None,
    outputs: int = 1,
) -> bytes:
    """A graph of our own nodes, the last of which gives `prediction`; (n, classes) of a label of classes.

    Its input has `width` columns; None: one for each feature.
    """
    onnx = library("onnx", extra="onnx", user="Export to ONNX")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    made = helper.make_graph(
        nodes,
        "model",
        [helper.make_tensor_value_info(INPUT, kind, ["rows", width or len(encoding.features)])],
        [helper.make_tensor_value_info(OUTPUT, kind, _shape(task) if outputs == 1 else ["rows", outputs])],
        tensors,
    )
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid("ai.onnx.ml", TREES_OPSET)]
    model = helper.make_model(made, opset_imports=opsets, ir_version=IR_VERSION)
    onnx.checker.check_model(model)
    return _bytes(model, encoding)


def joined(members: Sequence[bytes], combine: Combine, encoding: Encoding, task: Task) -> bytes:
    """One graph of several that take the same features; `combine` makes the prediction of theirs.

    `combine(onnx, names)` gives nodes and tensors, the last node of which gives `prediction`; `NotPortable` where a
    graph cannot be brought to the version of the others.
    """
    onnx = library("onnx", extra="onnx", user="Export to ONNX")
    nodes: list[Any] = []
    tensors: list[Any] = []
    outputs = []
    for place, content in enumerate(members):
        part = prefixed(content, f"member_{place}_", INPUT)
        nodes += part.node
        tensors += part.initializer
        outputs.append(part.output[0].name)
    more, needed = combine(onnx, outputs)
    return graph([*nodes, *more], [*tensors, *needed], encoding, task)


def prefixed(content: bytes, prefix: str, source: str) -> Any:
    """A graph, in our version, whose names begin with `prefix`, and whose input is called `source`."""
    onnx = library("onnx", extra="onnx", user="Export to ONNX")
    model = onnx.load_model_from_string(content)
    known = {opset.domain or "main": opset.version for opset in model.opset_import}
    if known.get("main", OPSET) != OPSET:
        model = onnx.version_converter.convert_version(model, OPSET)
    if known.get("ai.onnx.ml", TREES_OPSET) > TREES_OPSET:
        raise NotPortable(f"a member is written in version {known['ai.onnx.ml']} of the operators for trees")
    part = onnx.compose.add_prefix_graph(model.graph, prefix)
    for node in part.node:
        for place, name in enumerate(node.input):
            if name == f"{prefix}{INPUT}":
                node.input[place] = source
    return part


def _bytes(model: Any, encoding: Encoding) -> bytes:
    model.graph.name, model.doc_string, model.graph.doc_string = "model", "", ""
    del model.metadata_props[:]
    model.metadata_props.add(key=ENCODING, value=encoding.to_json())
    content: bytes = model.SerializeToString(deterministic=True)
    return content
