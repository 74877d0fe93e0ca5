"""Where a training is, in a file: what was killed goes on as if nothing had happened."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform_ml.spec.errors import StoreError
from platform_ml.spec.libraries import library

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

CHECKPOINTS = "PLATFORM_ML_CHECKPOINTS"
"""Of the environment, not of a declaration: a folder, or nothing is kept."""
USER = "Training a network"
LOG = logging.getLogger(__name__)


@dataclass(kw_only=True)
class Position:
    """Where a training is: before step `step` of epoch `epoch`, both counted from 0.

    Learning rate and order of rows follow from it, so that no scheduler and no loader has a state of its own.
    """

    epoch: int = 0
    step: int = 0
    scores: list[float] = field(default_factory=list)
    """Of the epochs that are over, the greater the better."""
    best: int = -1


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """A safetensors file with all that a training needs to go on, or None: nobody asked for one."""

    file: Path | None

    @classmethod
    def of(cls, meant: Sequence[Any]) -> Checkpoint:
        """That of a training, by all that makes it another one."""
        folder = os.environ.get(CHECKPOINTS)
        if not folder:
            return cls(file=None)
        name = sha256(json.dumps(meant, sort_keys=True).encode()).hexdigest()
        Path(folder).mkdir(parents=True, exist_ok=True)
        return cls(file=Path(folder) / f"{name[:32]}.safetensors")

    def write(self, torch: Any, network: Any, optimizer: Any, best: Mapping[str, Any], at: Position) -> None:
        """Replace the file in one go: a kill leaves the one before."""
        if self.file is None:
            return
        tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in best.items()}
        for number, state in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": value for name, value in state.items()}
        tensors["random"] = torch.get_rng_state()
        place = next(network.parameters()).device
        if place.type == "cuda":
            tensors["random_cuda"] = torch.cuda.get_rng_state(place)
        save = library("safetensors.torch", extra="deep", user=USER).save
        aside = self.file.with_suffix(f".{os.getpid()}")
        plain = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
        with aside.open("wb") as target:
            target.write(save(plain, {"position": json.dumps(vars(at))}))
            target.flush()
            os.fsync(target.fileno())
        aside.replace(self.file)

    def restore(self, torch: Any, network: Any, optimizer: Any, best: dict[str, Any]) -> Position | None:
        """Bring everything to where it was; None when there is no such training."""
        if self.file is None or not self.file.is_file():
            return None
        safetensors = library("safetensors", extra="deep", user=USER)
        try:
            with safetensors.safe_open(self.file, "pt") as found:
                tensors = {name: found.get_tensor(name) for name in found.keys()}
                at = Position(**json.loads(found.metadata()["position"]))
        except (safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
            raise StoreError(f"Checkpoint {self.file} cannot be read ({error}). Delete it and train again.") from error
        network.load_state_dict(dict(_below("network.", tensors)))
        place = next(network.parameters()).device
        best.update({name: value.to(place) for name, value in _below("best.", tensors)})
        state: dict[int, dict[str, Any]] = {}
        for name, value in _below("optimizer.", tensors):
            number, _, what = name.partition(".")
            state.setdefault(int(number), {})[what] = value
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
        torch.set_rng_state(tensors["random"])
        if "random_cuda" in tensors:
            torch.cuda.set_rng_state(tensors["random_cuda"], place)
        LOG.info("goes on from %s: epoch %d, step %d", self.file, at.epoch, at.step)
        return at

    def remove(self) -> None:
        """Leave nothing behind."""
        if self.file is not None:
            self.file.unlink(missing_ok=True)


def _below(prefix: str, tensors: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((name.removeprefix(prefix), value) for name, value in tensors.items() if name.startswith(prefix))
