"""Trees grown independently of each other."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.families.columns import EveryColumn
from platform_ml.families.encoding import Encoded, Encoding
from platform_ml.families.inputs import check_label, nothing, weights
from platform_ml.families.limits import check_limits
from platform_ml.families.threads import threads
from platform_ml.spec.attribution import LABEL, PROBABILITY, TREE_SHAP, Attribution
from platform_ml.spec.complexity import Complexity
from platform_ml.spec.errors import StoreError
from platform_ml.spec.space import Between, Whole
from platform_ml.spec.task import BINARY, MULTICLASS, REGRESSION, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.family import Rows

LIMITS = {
    "trees": (1, 10_000),
    "max_depth": (1, 100),
    "min_samples_leaf": (1, float("inf")),
    "max_features": (0, 1),
    "max_samples": (0, 1),
}
LEAF = -1
DOMAIN = "ai.onnx.ml"
ENCODING, CLASSES = b"platform_ml_encoding", b"classes"


@dataclass(frozen=True, kw_only=True)
class RandomForest(EveryColumn):
    """The mean of deep trees, each grown on rows and features drawn at random (Breiman 2001), by scikit-learn.

    Takes nulls; levels of a category are ordered by their mean label, or by their share of the most frequent of several
    classes, so that one cut parts them well.
    """

    name: ClassVar[str] = "random_forest"
    complexity: ClassVar[Complexity] = Complexity.TREES
    tasks: ClassVar[tuple[Task, ...]] = (BINARY, REGRESSION, MULTICLASS)

    trees: int | Whole = 200
    max_depth: int | Whole = Whole(4, 16)
    min_samples_leaf: int | Whole = Whole(2, 100, log=True)
    max_features: float | Between = Between(0.2, 1.0)
    """The share of features that is looked at for each split."""
    max_samples: float | Between = Between(0.4, 1.0)
    """How many rows each tree draws, as a share of all; it draws them with replacement."""

    def __post_init__(self) -> None:
        check_limits(self, LIMITS, above=("max_features", "max_samples"))

    def fit(
        self,
        train: Rows,
        validation: Rows,
        *,
        params: Mapping[str, Any],
        seed: int,
        report: Callable[[int, float], None] | None = None,
    ) -> Forest:
        """Grow all trees; there is nothing to stop early."""
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        settings = dict(params)
        encoding, values = _encoded(train)
        check_label(validation, "validation")
        kind = RandomForestRegressor if train.task is REGRESSION else RandomForestClassifier
        forest = kind(n_estimators=settings.pop("trees"), random_state=seed, n_jobs=threads(), **settings)
        forest.fit(values, train.label, sample_weight=weights(train))
        return Forest(encoding=encoding, nodes=_nodes(forest, train), task=train.task, classes=train.classes)

    def load(self, file: Path, features: Sequence[str]) -> Forest:
        """Read the nodes back: plain numbers, each of which is checked before a tree is made of them."""
        import pyarrow as pa

        try:
            with pa.OSFile(str(file)) as source:
                nodes = pa.ipc.open_file(source).read_all()
            said = nodes.schema.metadata[ENCODING].decode()
            task = Task(nodes.schema.metadata[b"task"].decode())
            classes = tuple(json.loads(nodes.schema.metadata.get(CLASSES, b"[]")))
        except (pa.ArrowInvalid, KeyError, TypeError, ValueError) as error:
            raise StoreError(f"{file} is no forest ({error}). Materialize the model again.") from error
        encoding = Encoding.from_json(file, said)
        encoding.check(file, features)
        nodes = nodes.replace_schema_metadata(None)
        _check_nodes(file, nodes, len(encoding.features), _value_names(classes))
        return Forest(encoding=encoding, nodes=nodes, task=task, classes=classes)


@dataclass(frozen=True, kw_only=True)
class Forest(Encoded):
    """Fitted trees as one table of nodes; the prediction is the mean over the trees."""

    explained_by: ClassVar[str] = TREE_SHAP

    nodes: pa.Table
    """tree, left_child and right_child (places in the tree; -1 in a leaf), feature, threshold (at most: left),
    missing_go_to_left, weight (of the training rows), value, or value_0, value_1, ... of the classes."""
    task: Task
    classes: tuple[str, ...] = ()
    """Which class each probability is of."""
    unit: ClassVar[str] = PROBABILITY
    """What contributions to a binary label are in."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "_trees", _trees(self.nodes, len(self.encoding.features), self._names))

    @property
    def _names(self) -> list[str]:
        return _value_names(self.classes)

    def predict(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n,) the probability of 1, or the number; (n, classes) probabilities."""
        import numpy as np

        values = self.inputs(rows)
        if not len(values):
            return nothing(self.classes)
        total = np.zeros((len(values), len(self._names)))
        trees = self._trees  # type: ignore[attr-defined] # made of the nodes, and no field of its own
        for tree in trees:
            total += tree.predict(values)
        return np.asarray((total if self.classes else total[:, 0]) / len(trees), dtype=np.float64)

    def save(self, folder: Path) -> Path:
        """Write `model.arrow`, the table of nodes as an Arrow file: a skops file would not be the same bytes twice."""
        import pyarrow as pa

        file = folder / "model.arrow"
        said = {ENCODING: self.encoding.to_json().encode(), b"task": str(self.task).encode()}
        if self.classes:
            said[CLASSES] = json.dumps(self.classes).encode()
        table = self.nodes.replace_schema_metadata(said)
        with pa.OSFile(str(file), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        return file

    def contributions(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n, features) SHAP values; of several classes their mean sizes."""
        return self.attribution(rows).flat

    def attribution(self, rows: pa.Table) -> Attribution:
        """Exact SHAP values in probability, or in the label's unit: Lundberg et al. (2020), TreeSHAP."""
        import numpy as np
        import shap

        trees = []
        count = len(self._trees)  # type: ignore[attr-defined]
        for part in _split(self.nodes):
            left, right = part["left_child"], part["right_child"]
            trees.append(
                {
                    "children_left": left,
                    "children_right": right,
                    "children_default": np.where(part["missing_go_to_left"] == 1, left, right),
                    "features": part["feature"],
                    "thresholds": part["threshold"],
                    "values": _values(part, self._names) / count,
                    "node_sample_weight": part["weight"],
                }
            )
        model = {"trees": trees, "internal_dtype": np.float64, "input_dtype": np.float32}
        explainer = shap.TreeExplainer(model)
        found = np.asarray(explainer.shap_values(self.inputs(rows)), dtype=np.float64)
        base = np.tile(np.asarray(explainer.expected_value, dtype=np.float64), (rows.num_rows, 1))
        unit = PROBABILITY if self.task.in_classes else LABEL
        return Attribution(values=found.reshape(*found.shape[:2], -1), base=base, unit=unit)

    def onnx(self) -> bytes:
        """The same trees as an ONNX graph; a converter was tried, and sends rows with nulls to the wrong leaves."""
        from platform_ml.families import graphs
        from platform_ml.spec.libraries import library

        onnx = library("onnx", extra="onnx", user="Export to ONNX")
        written = _attributes(self.nodes, self._names)
        trees = onnx.helper.make_node("TreeEnsembleRegressor", [graphs.INPUT], ["mean"], domain=DOMAIN, **written)
        if self.classes:
            same = onnx.helper.make_node("Identity", ["mean"], [graphs.OUTPUT])
            return graphs.graph([trees, same], [], self.encoding, self.task)
        flat = onnx.helper.make_node("Reshape", ["mean", "flat"], [graphs.OUTPUT])
        shape = onnx.helper.make_tensor("flat", onnx.TensorProto.INT64, [1], [-1])
        return graphs.graph([trees, flat], [shape], self.encoding)


def _encoded(train: Rows) -> tuple[Encoding, NDArray[np.float32]]:
    """The encoded training rows; what was built once for these rows is used again."""
    if "random_forest" not in train.cache:
        check_label(train, "train")
        train.cache["random_forest"] = Encoding.of(train.features, order_by=_order(train))
    encoding, values = train.cache["random_forest"]
    return encoding, values


def _order(train: Rows) -> NDArray[np.float64]:
    """(n,) what levels of a category are ordered by the mean of."""
    import numpy as np

    if train.task is not MULTICLASS:
        return train.label
    most = np.bincount(train.label.astype(np.int64)).argmax()
    return np.asarray(train.label == most, dtype=np.float64)


def _value_names(classes: Sequence[str]) -> list[str]:
    return [f"value_{place}" for place in range(len(classes))] or ["value"]


def _values(part: Mapping[str, NDArray[Any]], names: Sequence[str]) -> NDArray[np.float64]:
    """(nodes, values) of one tree."""
    import numpy as np

    return np.column_stack([part[name] for name in names])


def _nodes(forest: Any, train: Rows) -> pa.Table:
    """The nodes of scikit-learn's trees, one below the other."""
    import numpy as np
    import pyarrow as pa

    trees = [tree.tree_ for tree in forest.estimators_]
    values = np.concatenate([tree.value[:, 0, :] for tree in trees])
    if train.task is MULTICLASS:  # classes that no training row has are not among those of the forest
        there = np.zeros((len(values), len(train.classes)))
        there[:, forest.classes_.astype(np.int64)] = values
        values = there
    elif train.task is BINARY:
        values = values[:, 1:]

    def all_of(name: str) -> NDArray[Any]:
        return np.concatenate([getattr(tree, name) for tree in trees])

    return pa.table(
        {
            "tree": np.repeat(np.arange(len(trees), dtype=np.int32), [tree.node_count for tree in trees]),
            "left_child": all_of("children_left").astype(np.int32),
            "right_child": all_of("children_right").astype(np.int32),
            "feature": all_of("feature").astype(np.int32),
            "threshold": all_of("threshold"),
            "missing_go_to_left": all_of("missing_go_to_left").astype(np.uint8),
            "weight": all_of("weighted_n_node_samples"),
            **{name: values[:, place] for place, name in enumerate(_value_names(train.classes))},
        }
    )


def _split(nodes: pa.Table) -> list[dict[str, NDArray[Any]]]:
    """The columns, tree by tree."""
    import numpy as np

    columns = {name: nodes[name].to_numpy() for name in nodes.column_names}
    starts = np.flatnonzero(np.diff(columns["tree"], prepend=-1))
    ends = [*starts[1:].tolist(), nodes.num_rows]
    return [
        {name: values[start:end] for name, values in columns.items()}
        for start, end in zip(starts.tolist(), ends, strict=True)
    ]


def _trees(nodes: pa.Table, features: int, names: Sequence[str]) -> list[Any]:
    """scikit-learn's own trees, which predict fast."""
    import numpy as np
    from sklearn.tree._tree import NODE_DTYPE, Tree

    made = []
    for part in _split(nodes):
        state = np.zeros(len(part["tree"]), NODE_DTYPE)
        for name in ("left_child", "right_child", "feature", "threshold", "missing_go_to_left"):
            state[name] = part[name]
        tree = Tree(features, np.array([len(names)], np.intp), 1)
        values = np.ascontiguousarray(_values(part, names)[:, None, :])
        tree.__setstate__({"max_depth": 0, "node_count": len(state), "nodes": state, "values": values})
        made.append(tree)
    return made


def _check_nodes(file: Path, nodes: pa.Table, features: int, names: Sequence[str]) -> None:
    """Refuse nodes that would send a prediction out of the tree, in circles, or to a feature that is not there."""
    import numpy as np

    kinds = {name: str(nodes.schema.field(name).type) for name in nodes.column_names}
    floats = dict.fromkeys(("threshold", "weight", *names), "double")
    whole = dict.fromkeys(("tree", "left_child", "right_child", "feature"), "int32")
    sound = kinds == whole | floats | {"missing_go_to_left": "uint8"} and nodes.num_rows > 0
    sound = sound and not any(nodes[name].null_count for name in nodes.column_names)
    for number, part in enumerate(_split(nodes) if sound else ()):
        left, right, feature = part["left_child"], part["right_child"], part["feature"]
        place, leaf = np.arange(len(left)), left == LEAF
        sound = sound and bool(
            (part["tree"] == number).all()
            and (leaf == (right == LEAF)).all()
            and (leaf | ((left > place) & (right > place) & (left < len(left)) & (right < len(left)))).all()
            and (leaf | ((feature >= 0) & (feature < features))).all()
            and np.isfinite(_values(part, names)).all()
        )
    if not sound:
        raise StoreError(f"{file} holds nodes that make no forest. Materialize the model again.")


def _attributes(nodes: pa.Table, names: Sequence[str]) -> dict[str, Any]:
    """The forest as ONNX writes one (operator TreeEnsembleRegressor of ai.onnx.ml, version 3)."""
    import numpy as np

    columns = {name: nodes[name].to_numpy() for name in nodes.column_names}
    leaf = columns["left_child"] == LEAF
    place = np.concatenate([np.arange(len(part["tree"])) for part in _split(nodes)])
    # Features are float32: one is at most a threshold if, and only if, it is at most the float32 below that.
    below = columns["threshold"].astype(np.float32)
    below = np.where(below > columns["threshold"], np.nextafter(below, np.float32(-np.inf)), below)
    return {
        "n_targets": len(names),
        "aggregate_function": "AVERAGE",
        "nodes_treeids": columns["tree"].tolist(),
        "nodes_nodeids": place.tolist(),
        "nodes_modes": np.where(leaf, "LEAF", "BRANCH_LEQ").tolist(),
        "nodes_featureids": np.where(leaf, 0, columns["feature"]).tolist(),
        "nodes_values": np.where(leaf, 0, below).tolist(),
        "nodes_truenodeids": np.where(leaf, 0, columns["left_child"]).tolist(),
        "nodes_falsenodeids": np.where(leaf, 0, columns["right_child"]).tolist(),
        "nodes_missing_value_tracks_true": np.where(leaf, 0, columns["missing_go_to_left"]).tolist(),
        "target_treeids": np.repeat(columns["tree"][leaf], len(names)).tolist(),
        "target_nodeids": np.repeat(place[leaf], len(names)).tolist(),
        "target_ids": np.tile(np.arange(len(names)), leaf.sum()).tolist(),
        "target_weights": _values(columns, names)[leaf].ravel().tolist(),
    }
