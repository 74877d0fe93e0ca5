"""A network of fully connected layers."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.families.attribution import explained, integrated_gradients
from platform_ml.families.deep import Deep, Lesson, learned
from platform_ml.families.design import Design, designed
from platform_ml.families.encoding import Encoded
from platform_ml.families.outcome import Outcome
from platform_ml.spec.attribution import INTEGRATED_GRADIENTS
from platform_ml.spec.errors import StoreError
from platform_ml.spec.libraries import library
from platform_ml.spec.space import Whole

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.families.limits import Limits
    from platform_ml.spec.attribution import Attribution
    from platform_ml.spec.family import Rows

THREADS = 1
"""Weights trained on a CPU are the same for any number of threads."""


@dataclass(frozen=True, kw_only=True)
class MultilayerPerceptron(Deep):
    """Layers of weighted sums cut off at 0.

    Nulls are filled with the median and marked by a column, categories have a column for each level, and all columns
    are scaled, as the training rows say. It trains as every network does: see `Deep`.
    """

    name: ClassVar[str] = "multilayer_perceptron"
    limits: ClassVar[Limits] = {**Deep.limits, "layers": (1, 20), "width": (1, 65_536)}

    layers: int | Whole = Whole(1, 3)
    width: int | Whole = Whole(32, 256, log=True)

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
        library("torch", extra="deep", user="MultilayerPerceptron")
        design, columns = designed(train, params["max_levels"])
        outcome = Outcome.of(train, params.get("loss"))
        judged = design.columns(design.encoding.matrix(validation.features))
        lesson = Lesson(train=train, columns=columns, validation=validation, judged=judged, outcome=outcome)
        found = learned(
            lambda torch: _network(torch, columns.shape[1], params, outcome.outputs),
            lesson, params=params, seed=seed, threads=THREADS, report=report,
        )  # fmt: skip
        names = sorted({name.rpartition(".")[0] for name in found.weights}, key=int)
        return Network(
            encoding=design.encoding,
            design=design,
            layers=tuple((found.weights[f"{name}.weight"], found.weights[f"{name}.bias"]) for name in names),
            outcome=outcome,
            training_profile=found.profile,
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
                outcome=Outcome.from_plain(said["outcome"]),
            )
        except (OSError, safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
            raise StoreError(f"{file} is no network ({error!r}). Materialize the model again.") from error
        made.encoding.check(file, features)
        widths = [len(design.means), *(weight.shape[0] for weight, _ in layers)]
        fits = [
            weight.shape == (after, before) and bias.shape == (after,)
            for (weight, bias), before, after in zip(layers, widths[:-1], widths[1:], strict=True)
        ]
        if not all(fits) or widths[-1] != made.outcome.outputs:
            raise StoreError(f"{file} does not fit together. Materialize the model again.")
        return made


@dataclass(frozen=True, kw_only=True)
class Network(Encoded):
    """Fitted layers; predicting needs no torch."""

    explained_by: ClassVar[str] = INTEGRATED_GRADIENTS

    design: Design
    layers: tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]
    """(to, from) weights and (to,) biases, layer by layer."""
    outcome: Outcome
    training_profile: Mapping[str, float] = field(default_factory=dict, compare=False)
    """What training it took; empty once it was read back."""

    @property
    def classes(self) -> tuple[str, ...]:
        """What the columns of a prediction are of; none for other labels."""
        return self.outcome.classes

    def predict(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n,) the probability of 1, or the number; of several classes (n, classes)."""
        return self.outcome.predictions(self._forward(self.design.columns(self.inputs(rows)))[-1])

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
            "outcome": self.outcome.to_plain(),
        }
        file.write_bytes(safetensors.save(tensors, {"model": json.dumps(said, allow_nan=False, sort_keys=True)}))
        return file

    def contributions(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n, features) integrated gradients; of several classes their mean sizes."""
        return self.attribution(rows).flat

    def attribution(self, rows: pa.Table) -> Attribution:
        """Integrated gradients, in log odds or the label's unit."""
        import numpy as np

        columns = self.design.columns(self.inputs(rows))
        shares = np.zeros((columns.shape[1], len(self.encoding.features)))
        shares[np.arange(len(shares)), self.design.owners] = 1.0
        parts = [
            [
                integrated_gradients(
                    lambda some, place=place: self._forward(some)[-1][:, place],  # type: ignore[misc]
                    lambda some, place=place: self._gradient(some, place),  # type: ignore[misc]
                    columns,
                    np.zeros(len(shares), bool),
                )
            ]
            for place in range(self.outcome.outputs)
        ]
        return explained(parts, shares, self.outcome)

    def _forward(self, columns: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """What each layer gives, before it is cut off."""
        import numpy as np

        found = [columns]
        for place, (weight, bias) in enumerate(self.layers):
            given = np.maximum(found[-1], 0) if place else columns
            found.append(given @ weight.T.astype(np.float64) + bias)
        return found[1:]

    def _gradient(self, columns: NDArray[np.float64], place: int) -> NDArray[np.float64]:
        """(n, columns) of one output, back through the layers."""
        import numpy as np

        sums = self._forward(columns)
        found = np.repeat(self.layers[-1][0][[place]].astype(np.float64), len(columns), axis=0)
        for (weight, _), given in zip(self.layers[-2::-1], sums[-2::-1], strict=True):
            found = (found * (given > 0)) @ weight
        return found

    def onnx(self) -> bytes:
        """The same layers as an ONNX graph, from the encoded rows on."""
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
        last_nodes, last_tensors = self.outcome.onnx(onnx, "output", graphs.OUTPUT)
        outputs = self.outcome.outputs
        return graphs.graph([*nodes, *last_nodes], [*tensors, *last_tensors], self.encoding, outputs=outputs)


def _network(torch: Any, width: int, params: Mapping[str, Any], outputs: int) -> Any:
    parts: list[Any] = []
    for _ in range(params["layers"]):
        parts += [torch.nn.Linear(width, params["width"]), torch.nn.ReLU(), torch.nn.Dropout(params["dropout"])]
        width = params["width"]
    return torch.nn.Sequential(*parts, torch.nn.Linear(width, outputs))
