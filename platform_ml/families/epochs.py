"""Training a network in epochs, in such a way that a killed one goes on as if nothing had happened."""

from __future__ import annotations

import hashlib
import json
import logging
import math
import os
import resource
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform_ml.spec.errors import StoreError
from platform_ml.spec.libraries import library

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import numpy as np
    from numpy.typing import NDArray

DEVICE, CHECKPOINTS = "PLATFORM_ML_DEVICE", "PLATFORM_ML_CHECKPOINTS"
"""Of the environment, not of a declaration: cpu, cuda or cuda:1 (else CUDA where there is one), and a folder."""
STEPS_BETWEEN = 200
"""Steps of the optimizer after which a checkpoint is written within an epoch; one is written after each epoch."""
WARM_UP = 0.05
"""The share of all steps in which the learning rate rises."""
LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is done: `batch_rows` rows a step, cut into `accumulate` parts that fit into memory one by one."""

    batch_rows: int
    accumulate: int
    max_epochs: int
    patience: int
    learning_rate: float
    weight_decay: float
    clip_norm: float
    seed: int


@dataclass(frozen=True, kw_only=True)
class Data:
    """Training rows as float32 arrays: columns (n, width), target (n,), weight (n,)."""

    columns: NDArray[np.float32]
    target: NDArray[np.float32]
    weight: NDArray[np.float32]

    @property
    def digest(self) -> str:
        """Of all values."""
        found = hashlib.sha256()
        for values in (self.columns, self.target, self.weight):
            found.update(values.tobytes())
        return found.hexdigest()


@dataclass(kw_only=True)
class Position:
    """Where a training is: before step `step` of epoch `epoch`, both counted from 0."""

    epoch: int = 0
    step: int = 0
    scores: list[float] = field(default_factory=list)
    """Of the epochs that are over, the greater the better."""
    best: int = -1


def device() -> Any:
    """Where to train."""
    torch = library("torch", extra="deep", user="MultilayerPerceptron")
    named = os.environ.get(DEVICE)
    return torch.device(named or ("cuda" if torch.cuda.is_available() else "cpu"))


@dataclass(kw_only=True)
class Training:
    """A network on its way."""

    network: Any
    loss: Any
    """Rows' losses from their outputs and targets."""
    judge: Callable[[Any], float]
    """The score of a network on validation rows, the greater the better."""
    data: Data
    plan: Plan
    place: Any
    threads: int

    def run(self, report: Callable[[int, float], None] | None, said: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        """The weights after the best epoch, by name; `said` is what else makes this training another one."""
        torch = library("torch", extra="deep", user="MultilayerPerceptron")
        threads, devices = torch.get_num_threads(), [self.place] if self.place.type == "cuda" else []
        checkpoint = _Checkpoint.of(self, said)
        torch.set_num_threads(self.threads)
        try:
            with torch.random.fork_rng(devices=devices):
                torch.manual_seed(self.plan.seed)
                best = self._epochs(torch, report, checkpoint)
        except Exception:
            checkpoint.remove()  # refused or stopped as a poor trial: only what was killed goes on later
            raise
        finally:
            torch.set_num_threads(threads)
        checkpoint.remove()
        return {name: tensor.cpu().numpy() for name, tensor in best.items()}

    def _epochs(
        self, torch: Any, report: Callable[[int, float], None] | None, checkpoint: _Checkpoint
    ) -> dict[str, Any]:
        self.network.to(self.place)
        plan, rows = self.plan, len(self.data.target)
        optimizer = torch.optim.AdamW(self.network.parameters(), weight_decay=plan.weight_decay)
        best: dict[str, Any] = {}
        at = checkpoint.restore(torch, self.network, optimizer, best) or Position()
        for epoch, score in enumerate(at.scores):
            if report is not None:
                report(epoch, score)
        steps = math.ceil(rows / plan.batch_rows)
        while at.epoch < plan.max_epochs and at.epoch - at.best <= plan.patience:
            order = torch.randperm(rows, generator=torch.Generator().manual_seed(plan.seed + at.epoch)).numpy()
            self.network.train()
            for step in range(at.step, steps):
                rate = _rate(plan.learning_rate, at.epoch * steps + step, plan.max_epochs * steps)
                self._step(torch, optimizer, rate, order[step * plan.batch_rows : (step + 1) * plan.batch_rows])
                if step + 1 < steps and (step + 1) % STEPS_BETWEEN == 0:
                    at.step = step + 1
                    checkpoint.write(torch, self.network, optimizer, best, at)
            self.network.eval()
            score = self.judge(self.network)
            if at.best < 0 or score > at.scores[at.best]:
                at.best = at.epoch
                best.update({name: value.detach().clone() for name, value in self.network.state_dict().items()})
            at.scores.append(score)
            at.epoch, at.step = at.epoch + 1, 0
            checkpoint.write(torch, self.network, optimizer, best, at)
            _log_memory(torch, self.place, at)
            if report is not None:
                report(at.epoch - 1, score)
        return best

    def _step(self, torch: Any, optimizer: Any, rate: float, chosen: NDArray[np.int64]) -> None:
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        total = float(self.data.weight[chosen].sum())
        half = torch.autocast("cuda", dtype=torch.bfloat16, enabled=self.place.type == "cuda")
        for part in _parts(chosen, self.plan.accumulate):
            columns, target, weight = (
                torch.from_numpy(values[part]).to(self.place)
                for values in (self.data.columns, self.data.target, self.data.weight)
            )
            with half:
                output = self.network(columns)[:, 0]
            (self.loss(output.float(), target) * weight / total).sum().backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.plan.clip_norm)
        optimizer.step()


@dataclass(frozen=True, kw_only=True)
class _Checkpoint:
    """A safetensors file with all that a training needs to go on, or None: nobody asked for one."""

    file: Path | None

    @classmethod
    def of(cls, training: Training, said: Mapping[str, Any]) -> _Checkpoint:
        folder = os.environ.get(CHECKPOINTS)
        if not folder:
            return cls(file=None)
        torch = library("torch", extra="deep", user="MultilayerPerceptron")
        meant = [
            vars(training.plan),
            dict(said),
            training.data.digest,
            str(training.network),
            training.place.type,
            torch.__version__,
        ]
        name = hashlib.sha256(json.dumps(meant, sort_keys=True).encode()).hexdigest()
        Path(folder).mkdir(parents=True, exist_ok=True)
        return cls(file=Path(folder) / f"{name[:32]}.safetensors")

    def write(self, torch: Any, network: Any, optimizer: Any, best: Mapping[str, Any], at: Position) -> None:
        """Replace the file in one go: a kill leaves the one before."""
        if self.file is None:
            return
        tensors = {f"network.{name}": value for name, value in network.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in best.items()}
        for place, state in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{place}.{name}": value for name, value in state.items()}
        tensors["random"] = torch.get_rng_state()
        if torch.cuda.is_available():
            tensors["random_cuda"] = torch.cuda.get_rng_state()
        save = library("safetensors.torch", extra="deep", user="MultilayerPerceptron").save
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
        safetensors = library("safetensors", extra="deep", user="MultilayerPerceptron")
        try:
            with safetensors.safe_open(self.file, "pt") as found:
                tensors = {name: found.get_tensor(name) for name in found.keys()}
                at = Position(**json.loads(found.metadata()["position"]))
        except (safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
            raise StoreError(f"Checkpoint {self.file} cannot be read ({error}). Delete it and train again.") from error
        network.load_state_dict(dict(_below("network.", tensors)))
        best.update({name: value.to(next(network.parameters()).device) for name, value in _below("best.", tensors)})
        state: dict[int, dict[str, Any]] = {}
        for name, value in _below("optimizer.", tensors):
            place, _, what = name.partition(".")
            state.setdefault(int(place), {})[what] = value
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
        torch.set_rng_state(tensors["random"])
        if "random_cuda" in tensors and torch.cuda.is_available():
            torch.cuda.set_rng_state(tensors["random_cuda"])
        LOG.info("goes on from %s: epoch %d, step %d", self.file, at.epoch, at.step)
        return at

    def remove(self) -> None:
        """Leave nothing behind."""
        if self.file is not None:
            self.file.unlink(missing_ok=True)


def _below(prefix: str, tensors: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    return ((name.removeprefix(prefix), value) for name, value in tensors.items() if name.startswith(prefix))


def _parts(chosen: NDArray[np.int64], count: int) -> list[NDArray[np.int64]]:
    import numpy as np

    return [part for part in np.array_split(chosen, count) if len(part)]


def _rate(highest: float, step: int, steps: int) -> float:
    """Rises in a line, then falls as half a cosine (Loshchilov and Hutter 2017, without restarts)."""
    warm = max(1, round(WARM_UP * steps))
    if step < warm:
        return highest * (step + 1) / warm
    return highest * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm))) / 2


def _log_memory(torch: Any, place: Any, at: Position) -> None:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    on_device = torch.cuda.max_memory_allocated(place) if place.type == "cuda" else 0
    LOG.info(
        "epoch %d: score %.6f, best in epoch %d, peak memory %.0f MB, on the device %.0f MB",
        at.epoch,
        at.scores[-1],
        at.best + 1,
        peak / 1e6,
        on_device / 1e6,
    )
