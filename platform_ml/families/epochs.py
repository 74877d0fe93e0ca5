"""Training a network in epochs, in such a way that a killed one goes on as if nothing had happened."""

from __future__ import annotations

import hashlib
import logging
import math
import os
import resource
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from platform_ml.families.checkpoint import USER, Checkpoint, Position
from platform_ml.spec.libraries import library

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    import numpy as np
    from numpy.typing import NDArray

DEVICE = "PLATFORM_ML_DEVICE"
"""Of the environment, not of a declaration: cpu, cuda or cuda:1; else CUDA where there is one."""
STEPS_BETWEEN = 200
"""Steps of the optimizer after which a checkpoint is written within an epoch; one is written after each epoch."""
SCHEDULES = ("cosine", "one_cycle", "constant")
PRECISIONS = ("auto", "float32", "bfloat16")
RISE, LOWEST = 0.3, 1e-4
"""Of one cycle: the share of all steps in which the learning rate rises, and its end as a share of the highest."""
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
    schedule: str = "cosine"
    warm_up: float = 0.05
    """The share of all steps in which the learning rate rises."""
    precision: str = "auto"


@dataclass(frozen=True, kw_only=True)
class Data:
    """Rows as float32 arrays: columns (n, width), target (n,), weight (n,)."""

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


def device() -> Any:
    """Where to train."""
    torch = library("torch", extra="deep", user=USER)
    named = os.environ.get(DEVICE)
    return torch.device(named or ("cuda" if torch.cuda.is_available() else "cpu"))


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What came of a training."""

    weights: dict[str, NDArray[Any]]
    """After the best epoch, by name."""
    profile: dict[str, float]
    """What it took: epochs, the best of them, and the peak of memory, of the process and on the device, in MB."""


@dataclass(kw_only=True)
class Training:
    """A network on its way."""

    network: Any
    """From columns (n, width) to outputs (n, outputs)."""
    loss: Any
    """Rows' losses (n,) from their outputs and targets."""
    judge: Callable[[Any], float]
    """The score of a network on validation rows, the greater the better."""
    data: Data
    plan: Plan
    place: Any
    threads: int

    def run(self, report: Callable[[int, float], None] | None, said: Mapping[str, Any]) -> Learned:
        """Until nothing gets better or all epochs are over; `said` is what else makes this training another one."""
        torch = library("torch", extra="deep", user=USER)
        meant = [vars(self.plan), dict(said), self.data.digest, str(self.network), self.place.type, torch.__version__]
        checkpoint, cuda = Checkpoint.of(meant), self.place.type == "cuda"
        threads, cudnn = torch.get_num_threads(), torch.backends.cudnn
        modes = cudnn.deterministic, cudnn.benchmark
        torch.set_num_threads(self.threads)
        try:
            cudnn.deterministic, cudnn.benchmark = True, False
            if cuda:
                torch.cuda.init()  # else there is no peak to reset yet
                torch.cuda.reset_peak_memory_stats(self.place)
            with torch.random.fork_rng(devices=[self.place] if cuda else []):
                torch.manual_seed(self.plan.seed)
                found = self._epochs(torch, report, checkpoint)
        except Exception:
            checkpoint.remove()  # refused or stopped as a poor trial: only what was killed goes on later
            raise
        finally:
            torch.set_num_threads(threads)
            cudnn.deterministic, cudnn.benchmark = modes
        checkpoint.remove()
        return found

    def _epochs(self, torch: Any, report: Callable[[int, float], None] | None, checkpoint: Checkpoint) -> Learned:
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
                rate = learning_rate(plan, at.epoch * steps + step, plan.max_epochs * steps)
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
            profile = _profile(torch, self.place, at)
            LOG.info(
                "epoch %d: score %.6f, best in epoch %d, peak memory %.0f MB, on the device %.0f MB",
                *(at.epoch, score, at.best + 1, profile["peak_memory_mb"], profile["device_peak_memory_mb"]),
            )
            if report is not None:
                report(at.epoch - 1, score)
        weights = {name: tensor.cpu().numpy() for name, tensor in best.items()}
        return Learned(weights=weights, profile=_profile(torch, self.place, at))

    def _step(self, torch: Any, optimizer: Any, rate: float, chosen: NDArray[np.int64]) -> None:
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        total = float(self.data.weight[chosen].sum())
        for part in _parts(chosen, self.plan.accumulate):
            columns, target, weight = (
                torch.from_numpy(values[part]).to(self.place)
                for values in (self.data.columns, self.data.target, self.data.weight)
            )
            with self._precision(torch):
                output = self.network(columns)
            (self.loss(output.float(), target) * weight / total).sum().backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.plan.clip_norm)
        optimizer.step()

    def _precision(self, torch: Any) -> AbstractContextManager[None]:
        """Half of it where a device is built for that: bfloat16 has the range of float32, so no loss is scaled."""
        half = self.plan.precision == "bfloat16" or (self.plan.precision == "auto" and self.place.type == "cuda")
        found: AbstractContextManager[None] = torch.autocast(self.place.type, dtype=torch.bfloat16, enabled=half)
        return found


def learning_rate(plan: Plan, step: int, steps: int) -> float:
    """Of a step of so many: it rises in a line; then it stays, or falls as half a cosine.

    cosine is that of Loshchilov and Hutter (2017), without restarts; one_cycle, of Smith and Topin (2018), rises from
    a 25th in `RISE` of all steps and falls to `LOWEST`, both as half a cosine.
    """
    highest = plan.learning_rate
    if plan.schedule == "one_cycle":
        top = max(1, round(RISE * steps))
        if step < top:
            return highest * (1 - (1 - 1 / 25) * _half_cosine(step / top))
        return highest * (LOWEST + (1 - LOWEST) * _half_cosine((step - top) / max(1, steps - top)))
    warm = max(1, round(plan.warm_up * steps))
    if step < warm:
        return highest * (step + 1) / warm
    return highest if plan.schedule == "constant" else highest * _half_cosine((step - warm) / max(1, steps - warm))


def _half_cosine(share: float) -> float:
    """From 1 to 0."""
    return (1 + math.cos(math.pi * share)) / 2


def _parts(chosen: NDArray[np.int64], count: int) -> Iterator[NDArray[np.int64]]:
    import numpy as np

    return (part for part in np.array_split(chosen, count) if len(part))


def _profile(torch: Any, place: Any, at: Position) -> dict[str, float]:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    on_device = torch.cuda.max_memory_allocated(place) if place.type == "cuda" else 0
    return {
        "epochs": at.epoch,
        "best_epoch": at.best + 1,
        "peak_memory_mb": round(peak / 1e6, 1),
        "device_peak_memory_mb": round(on_device / 1e6, 1),
    }
