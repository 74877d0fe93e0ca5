"""A network of fully connected layers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.families.design import Design, designed
from platform_ml.families.encoding import Encoded
from platform_ml.families.epochs import Data, Plan, Training, device
from platform_ml.families.inputs import check_label, weights
from platform_ml.families.limits import check_limits
from platform_ml.families.losses import USUAL, check_loss, tasks_of
from platform_ml.spec.complexity import Complexity
from platform_ml.spec.errors import StoreError
from platform_ml.spec.fingerprint import ADDED
from platform_ml.spec.libraries import library
from platform_ml.spec.space import Between, Whole
from platform_ml.spec.task import BINARY, Task

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.family import Rows

THREADS = 1
"""Weights trained on a CPU are the same for any number of threads."""
LIMITS = {
    "layers": (1, 20),
    "width": (1, 65_536),
    "dropout": (0, 0.9),
    "learning_rate": (0, 1),
    "weight_decay": (0, float("inf")),
    "batch_rows": (1, float("inf")),
    "accumulate": (1, float("inf")),
    "clip_norm": (0, float("inf")),
    "max_epochs": (1, float("inf")),
    "early_stopping_epochs": (1, float("inf")),
    "max_levels": (1, 10_000),
}


@dataclass(frozen=True, kw_only=True)
class MultilayerPerceptron:
    """Layers of weighted sums cut off at 0, trained by AdamW (Loshchilov and Hutter 2019), stopped early; in torch.

    Nulls are filled with the median and marked by a column, categories have a column for each level, and all columns
    are scaled, as the training rows say. It trains where PLATFORM_ML_DEVICE says, else on CUDA where there is one, in
    mixed precision there. With PLATFORM_ML_CHECKPOINTS, a folder, a killed training goes on where it was: on a CPU to
    the same weights, bit by bit. Needs `pip install 'platform_ml[deep]'`.
    """

    name: ClassVar[str] = "multilayer_perceptron"
    complexity: ClassVar[Complexity] = Complexity.NETWORK

    layers: int | Whole = Whole(1, 3)
    width: int | Whole = Whole(32, 256, log=True)
    dropout: float | Between = Between(0.0, 0.5)
    learning_rate: float | Between = Between(3e-4, 1e-2, log=True)
    """At its highest: it rises in the first twentieth of all steps, then falls as half a cosine."""
    weight_decay: float | Between = Between(1e-6, 1e-1, log=True)
    batch_rows: int | Whole = 256
    accumulate: int = 1
    """Parts of a batch that go through the network one after the other, where the batch does not fit into memory."""
    clip_norm: float = 1.0
    max_epochs: int = 100
    early_stopping_epochs: int = 15
    max_levels: int = 50
    """Of a category; the rarer ones are taken as missing."""
    loss: str | None = field(default=None, metadata=ADDED)
    """As for XGBoost: "log", "squared" or "absolute"; None: whichever fits the label."""

    def __post_init__(self) -> None:
        check_limits(self, LIMITS, above=("learning_rate", "clip_norm"))
        check_loss(self)

    @property
    def tasks(self) -> tuple[Task, ...]:
        """What the loss is for."""
        return tasks_of(self.loss)

    def columns(self) -> tuple[str, ...] | None:
        """All of them."""
        return None

    def fit(
        self,
        train: Rows,
        validation: Rows,
        *,
        params: Mapping[str, Any],
        seed: int,
        report: Callable[[int, float], None] | None = None,
    ) -> Network:
        """Train until `early_stopping_epochs` epochs bring nothing better on `validation`; keep the best epoch."""
        import numpy as np

        torch = library("torch", extra="deep", user="MultilayerPerceptron")
        design, columns = designed(train, params["max_levels"])
        check_label(validation, "validation")
        loss = params.get("loss") or USUAL[train.task]
        middle, spread = (0.0, 1.0) if train.task is BINARY else (float(train.label.mean()), float(train.label.std()))
        counts = weights(train)
        data = Data(
            columns=columns.astype(np.float32),
            target=((train.label - middle) / spread).astype(np.float32),
            weight=np.ones(len(columns), np.float32) if counts is None else counts.astype(np.float32),
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            network = _network(torch, columns.shape[1], params)
        plan = Plan(
            batch_rows=params["batch_rows"],
            accumulate=params["accumulate"],
            max_epochs=params["max_epochs"],
            patience=params["early_stopping_epochs"],
            learning_rate=params["learning_rate"],
            weight_decay=params["weight_decay"],
            clip_norm=params["clip_norm"],
            seed=seed,
        )
        judge = design.columns(design.encoding.matrix(validation.features)).astype(np.float32)
        truth = ((validation.label - middle) / spread).astype(np.float64)
        place = device()

        def score(network: Any) -> float:
            with torch.no_grad():
                given = torch.from_numpy(judge).to(place)
                return _score(loss, truth, network(given)[:, 0].double().cpu().numpy())

        training = Training(
            network=network, loss=_loss(torch, loss), judge=score, data=data, plan=plan, place=place, threads=THREADS
        )
        judged = Data(columns=judge, target=truth.astype(np.float32), weight=data.weight)
        found = training.run(report, {"loss": loss, "validation": judged.digest})
        names = sorted({name.rpartition(".")[0] for name in found}, key=int)
        return Network(
            encoding=design.encoding,
            design=design,
            layers=tuple((found[f"{name}.weight"], found[f"{name}.bias"]) for name in names),
            middle=middle,
            spread=spread,
            task=train.task,
        )

    def load(self, file: Path, features: Sequence[str]) -> Network:
        """Read the weights back; a safetensors file holds numbers and text, and cannot run code."""
        safetensors = library("safetensors", extra="deep", user="MultilayerPerceptron")
        try:
            with safetensors.safe_open(file, "np") as found:
                said = json.loads(found.metadata()["model"])
                count = int(said["layers"])
                layers = tuple(
                    (found.get_tensor(f"weight_{place}"), found.get_tensor(f"bias_{place}")) for place in range(count)
                )
            design = Design.from_plain(file, said["design"])
            made = Network(
                encoding=design.encoding,
                design=design,
                layers=layers,
                middle=float(said["middle"]),
                spread=float(said["spread"]),
                task=Task(said["task"]),
            )
        except (OSError, safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
            raise StoreError(f"{file} is no network ({error!r}). Materialize the model again.") from error
        made.encoding.check(file, features)
        widths = [len(design.means), *(weight.shape[0] for weight, _ in layers)]
        fits = [
            weight.shape == (after, before) and bias.shape == (after,)
            for (weight, bias), before, after in zip(layers, widths[:-1], widths[1:], strict=True)
        ]
        if not all(fits) or widths[-1] != 1:
            raise StoreError(f"{file} does not fit together. Materialize the model again.")
        return made


@dataclass(frozen=True, kw_only=True)
class Network(Encoded):
    """Fitted layers; predicting needs no torch."""

    design: Design
    layers: tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]
    """(to, from) weights and (to,) biases, layer by layer."""
    middle: float
    spread: float
    """What numbers are scaled back by."""
    task: Task

    def predict(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n,) the probability of 1, or the number."""
        import numpy as np
        from scipy.special import expit

        values = self.design.columns(self.inputs(rows))
        for place, (weight, bias) in enumerate(self.layers):
            values = values @ weight.T.astype(np.float64) + bias
            if place + 1 < len(self.layers):
                values = np.maximum(values, 0)
        # Sums of many rows differ from those of one in the last digits of 64 bits: those are not kept.
        output = values[:, 0].astype(np.float32).astype(np.float64)
        return np.asarray(expit(output) if self.task is BINARY else output * self.spread + self.middle)

    def save(self, folder: Path) -> Path:
        """Write `model.safetensors`: weights, and how rows become columns."""
        safetensors = library("safetensors.numpy", extra="deep", user="MultilayerPerceptron")
        file = folder / "model.safetensors"
        tensors: dict[str, NDArray[np.float32]] = {}
        for place, (weight, bias) in enumerate(self.layers):
            tensors |= {f"weight_{place}": weight, f"bias_{place}": bias}
        said = {
            "design": self.design.to_plain(),
            "layers": len(self.layers),
            "middle": self.middle,
            "spread": self.spread,
            "task": str(self.task),
        }
        file.write_bytes(safetensors.save(tensors, {"model": json.dumps(said, allow_nan=False, sort_keys=True)}))
        return file

    def contributions(self, rows: pa.Table) -> NDArray[np.float64] | None:
        """None: SHAP values of networks are no exact ones."""
        return None

    def onnx(self) -> bytes:
        """The same layers as an ONNX graph, from the encoded rows on."""
        import numpy as np

        from platform_ml.families import graphs

        onnx = library("onnx", extra="onnx", user="Export to ONNX")
        node, given = onnx.helper.make_node, onnx.numpy_helper.from_array
        nodes, tensors = self.design.onnx(onnx, graphs.INPUT, "layer_0")
        for place, (weight, bias) in enumerate(self.layers):
            tensors += [given(weight, f"weight_{place}"), given(bias, f"bias_{place}")]
            sources = [f"layer_{place}", f"weight_{place}", f"bias_{place}"]
            last = place + 1 == len(self.layers)
            nodes.append(node("Gemm", sources, ["output" if last else f"sum_{place}"], transB=1))
            if not last:
                nodes.append(node("Relu", [f"sum_{place}"], [f"layer_{place + 1}"]))
        tensors.append(given(np.asarray([-1], np.int64), "flat"))
        nodes.append(node("Reshape", ["output", "flat"], ["flat_output"]))
        if self.task is BINARY:
            return graphs.graph([*nodes, node("Sigmoid", ["flat_output"], [graphs.OUTPUT])], tensors, self.encoding)
        tensors += [
            given(np.asarray([self.spread], np.float32), "spread"),
            given(np.asarray([self.middle], np.float32), "middle"),
        ]
        nodes += [
            node("Mul", ["flat_output", "spread"], ["spread_output"]),
            node("Add", ["spread_output", "middle"], [graphs.OUTPUT]),
        ]
        return graphs.graph(nodes, tensors, self.encoding)


def _network(torch: Any, width: int, params: Mapping[str, Any]) -> Any:
    parts: list[Any] = []
    for _ in range(params["layers"]):
        parts += [torch.nn.Linear(width, params["width"]), torch.nn.ReLU(), torch.nn.Dropout(params["dropout"])]
        width = params["width"]
    return torch.nn.Sequential(*parts, torch.nn.Linear(width, 1))


def _loss(torch: Any, loss: str) -> Any:
    if loss == "log":
        return torch.nn.BCEWithLogitsLoss(reduction="none")
    return torch.nn.MSELoss(reduction="none") if loss == "squared" else torch.nn.L1Loss(reduction="none")


def _score(loss: str, truth: NDArray[np.float64], output: NDArray[np.float64]) -> float:
    """Area under the ROC curve, or the error with its sign turned; in units of the label's standard deviation."""
    import numpy as np
    from sklearn.metrics import roc_auc_score

    if not np.isfinite(output).all():
        return float("-inf")
    if loss == "log":
        return float(roc_auc_score(truth, output))
    off = output - truth
    return -float(np.sqrt((off**2).mean()) if loss == "squared" else np.abs(off).mean())
