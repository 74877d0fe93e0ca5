"""Networks over lists once they are fitted: predicting, explaining, storing."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

from platform_ml.families.attribution import explained, integrated_gradients
from platform_ml.families.deep import CHUNK, THREADS, Lesson, learned
from platform_ml.families.network_inputs import NetworkInputs, network_columns, network_inputs
from platform_ml.families.networks import Architecture, Reads, network
from platform_ml.families.outcome import Outcome
from platform_ml.spec.attribution import INTEGRATED_GRADIENTS
from platform_ml.spec.errors import StoreError
from platform_ml.spec.libraries import library

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.spec.attribution import Attribution
    from platform_ml.spec.family import Rows

USER = "A network over lists"


@dataclass(frozen=True, kw_only=True)
class FittedNetwork:
    """Weights, and what they are for; it predicts in 64 bits on a CPU."""

    explained_by: ClassVar[str] = INTEGRATED_GRADIENTS

    inputs_of: NetworkInputs
    how: Architecture
    weights: Mapping[str, NDArray[np.float32]]
    outcome: Outcome
    training_profile: Mapping[str, float] = field(default_factory=dict, compare=False)
    """What training it took; empty once it was read back."""

    @property
    def classes(self) -> tuple[str, ...]:
        """What the columns of a prediction are of; none for other labels."""
        return self.outcome.classes

    def predict(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n,) the probability of 1, or the number; of several classes (n, classes)."""
        return self.outcome.predictions(self._outputs(self._columns(rows)))

    def inputs(self, rows: pa.Table) -> NDArray[np.float32]:
        """(n, raw_width) what the graph is fed with."""
        return self.inputs_of.raw(rows)

    def unseen(self, rows: pa.Table) -> dict[str, int]:
        """Category → rows with a text that training never saw; they are predicted as if it were missing."""
        return self.inputs_of.unseen(rows)

    def contributions(self, rows: pa.Table) -> NDArray[np.float64]:
        """(n, features) integrated gradients; of several classes their mean sizes."""
        return self.attribution(rows).flat

    def attribution(self, rows: pa.Table) -> Attribution:
        """Integrated gradients, added up over the places of a list; in log odds or the label's unit."""
        columns = self._columns(rows)
        parts = [
            [
                integrated_gradients(
                    lambda some, output=output: self._outputs(some)[:, output],  # type: ignore[misc]
                    lambda some, output=output: self._gradient(some, output),  # type: ignore[misc]
                    columns[at : at + CHUNK],
                    self.inputs_of.fixed,
                )
                for at in range(0, len(columns), CHUNK)
            ]
            for output in range(self.outcome.outputs)
        ]
        return explained(parts, self.inputs_of.shares, self.outcome)

    def onnx(self) -> bytes:
        """The same network as an ONNX graph, from encoded features and the elements of lists on."""
        from platform_ml.families.network_graph import graph_of

        return graph_of(self.inputs_of, self.how, self.weights, self.outcome)

    def save(self, folder: Path) -> Path:
        """Write `model.safetensors`: weights, and how rows become columns."""
        safetensors = library("safetensors.numpy", extra="deep", user=USER)
        file = folder / "model.safetensors"
        said = {
            "inputs": self.inputs_of.to_plain(),
            "architecture": self.how.to_plain(),
            "outcome": self.outcome.to_plain(),
        }
        text = json.dumps(said, allow_nan=False, sort_keys=True)
        file.write_bytes(safetensors.save(dict(self.weights), {"network": text}))
        return file

    @classmethod
    def load(cls, file: Path, features: Sequence[str]) -> Self:
        """Read the weights back; a safetensors file holds numbers and text, and cannot run code."""
        safetensors = library("safetensors", extra="deep", user=USER)
        try:
            with safetensors.safe_open(file, "np") as found:
                said = json.loads(found.metadata()["network"])
                weights = {name: found.get_tensor(name) for name in found.keys()}
            made = cls(
                inputs_of=NetworkInputs.from_plain(file, said["inputs"]),
                how=Architecture.from_plain(said["architecture"]),
                weights=weights,
                outcome=Outcome.from_plain(said["outcome"]),
            )
        except (OSError, safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
            raise StoreError(f"{file} is no network ({error!r}). Materialize the model again.") from error
        made.inputs_of.check(file, features)
        try:
            _ = made._network
        except RuntimeError as error:
            raise StoreError(f"{file} does not fit together. Materialize the model again.") from error
        return made

    @cached_property
    def _network(self) -> Any:
        torch = library("torch", extra="deep", user=USER)
        with torch.random.fork_rng(devices=[]):
            made = network(torch, self.how)
        made.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in self.weights.items()})
        return made.double().eval().requires_grad_(requires_grad=False)

    def _columns(self, rows: pa.Table) -> NDArray[np.float64]:
        return self.inputs_of.columns(self.inputs_of.raw(rows))

    def _outputs(self, columns: NDArray[np.float64]) -> NDArray[np.float64]:
        import numpy as np

        torch = library("torch", extra="deep", user=USER)
        with torch.no_grad():
            parts = [
                self._network(torch.from_numpy(columns[at : at + CHUNK])).numpy()
                for at in range(0, len(columns), CHUNK)
            ]
        return np.concatenate([np.empty((0, self.outcome.outputs)), *parts])

    def _gradient(self, columns: NDArray[np.float64], output: int) -> NDArray[np.float64]:
        torch = library("torch", extra="deep", user=USER)
        given = torch.from_numpy(columns).requires_grad_()
        (found,) = torch.autograd.grad(self._network(given)[:, output].sum(), given)
        gradient: NDArray[np.float64] = found.numpy()
        return gradient


def fit_network(
    user: str,
    reads: Reads,
    train: Rows,
    validation: Rows,
    *,
    params: Mapping[str, Any],
    seed: int,
    report: Callable[[int, float], None] | None,
) -> FittedNetwork:
    """Train a network that reads lists so, and everything else beside them."""
    image = params.get("image")
    inputs = network_inputs(
        train,
        user=user,
        max_levels=params["max_levels"],
        longest=params["longest"],
        image=None if image is None else tuple(image),
    )
    outcome = Outcome.of(train, params.get("loss"))
    how = Architecture.of(inputs, reads, params, outcome.outputs)
    lesson = Lesson(
        train=train,
        columns=network_columns(inputs, train),
        validation=validation,
        judged=network_columns(inputs, validation),
        outcome=outcome,
    )
    found = learned(lambda torch: network(torch, how), lesson, params=params, seed=seed, threads=THREADS, report=report)
    return FittedNetwork(
        inputs_of=inputs, how=how, weights=found.weights, outcome=outcome, training_profile=found.profile
    )
