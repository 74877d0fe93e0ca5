"""Batches of tensors for PyTorch."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from platform_ml.exports.matrix import is_number, matrix
from platform_ml.exports.schema import chosen
from platform_ml.readers.order import Order
from platform_ml.spec.errors import DeclarationError, RowsError
from platform_ml.spec.export import FEATURE, LABEL
from platform_ml.spec.libraries import library

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa
    import torch

    from platform_ml.spec.export import StoredRows


@dataclass(frozen=True, kw_only=True)
class Torch:
    """The rows as an iterable dataset of (features, label) tensors.

    features are float32 (batch, features) with NaN for null, label is float32 (batch,). For
    `DataLoader(dataset, batch_size=None, num_workers=...)`: every rank, and every worker of a rank, reads rows of its
    own. Needs `pip install 'platform_ml[deep]'`.
    """

    batch_rows: int = 1_024
    features: tuple[str, ...] | None = None
    """None: all columns that are declared as features."""
    label: str | None = None
    """None: the column that is declared as the label."""
    seed: int | None = None
    """Shuffles, anew in each epoch; None: rows come in their stored order."""
    buffer_rows: int = 65_536
    """Rows that are shuffled among each other, after the blocks of the files were; more mix better, in more memory."""
    rank: int = 0
    """Which of `world` processes this is; torch.distributed is not asked."""
    world: int = 1
    equal: bool = False
    """Whether every rank and worker gets the same number of rows, as gradients that are averaged need it; up to
    ranks x workers - 1 rows of an epoch are then left out, other ones in each epoch if shuffled."""

    def __post_init__(self) -> None:
        if self.batch_rows < 1 or self.buffer_rows < 1:
            raise DeclarationError("Torch: batch_rows and buffer_rows are 1 at least.")
        if self.seed is not None and self.seed < 0:
            raise DeclarationError(f"Torch: seed {self.seed} is below 0.")
        if not 0 <= self.rank < self.world:
            raise DeclarationError(f"Torch: rank {self.rank} is none of {self.world}: ranks count from 0.")

    def read(self, rows: StoredRows) -> TorchRows:
        """The dataset; `RowsError` when a feature is no number or there is no label."""
        data = library("torch.utils.data", extra="deep", user="Torch")
        # DataLoader asks for the class; a subclass would have to be made here, where no worker process finds it.
        data.IterableDataset.register(TorchRows)
        features = tuple(rows.names(FEATURE)) if self.features is None else self.features
        labels = rows.names(LABEL) if self.label is None else [self.label]
        if not features or len(labels) != 1:
            raise RowsError("The rows do not say what is a feature and what is the label. Use features= and label=.")
        for column in chosen(rows.schema, [*features, *labels]):
            if not is_number(column.type):
                raise RowsError(f"Column {column.name!r} is {column.type}, no number. Choose other features=.")
        return TorchRows(rows=rows, how=self, features=features, label=labels[0])


@dataclass(kw_only=True)
class TorchRows:
    """One split as batches of tensors, in an order that seed, epoch, ranks and workers alone decide."""

    rows: StoredRows
    how: Torch
    features: tuple[str, ...]
    label: str
    epoch: int = 0
    _done: dict[int, int] = field(default_factory=dict)
    """Worker → batches of this epoch that it has given."""
    _workers: int = 1
    """How many workers these are."""
    _turn: int = 0
    """Whose turn it is: a DataLoader always begins with its first worker, which then reads for this one."""
    _begun: bool = False

    def set_epoch(self, epoch: int) -> None:
        """Begin another epoch: another order, from its first batch. Call it before each one."""
        self.epoch, self._done, self._turn, self._begun = epoch, {}, 0, False

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """The batches of this process, on from where `load_state_dict` put it."""
        from torch.utils.data import get_worker_info

        info = get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        if info and self._begun and self.how.seed is not None:
            raise RowsError("A persistent worker does not learn of a new epoch. Use persistent_workers=False.")
        if self._done and not self._begun and self._workers != workers:
            raise RowsError(f"The position was taken with {self._workers} workers. Use as many to go on from it.")
        if self._begun:
            self._done, self._turn = {}, 0
        worker = (worker + self._turn) % workers
        begin = self._done.get(worker, 0)
        self._begun, self._workers, self._done = True, workers, {worker: begin}
        for batch in self._order(worker, workers).batches(begin):
            self._done[worker] += 1
            yield self._tensors(batch)

    def state_dict(self) -> dict[str, Any]:
        """Where this process is, in plain values; in a worker of a loader, where that worker is."""
        return self._state(self._done, self._workers, self._turn)

    def state_after(self, batches: int, workers: int) -> dict[str, Any]:
        """Where this rank is when a DataLoader with so many workers has handed out so many batches of the epoch."""
        workers = max(workers, 1)
        sizes = [self._order(worker, workers).count for worker in range(workers)]
        if not 0 <= batches <= sum(sizes):
            raise RowsError(f"There are {sum(sizes)} batches in an epoch, not {batches}.")
        done = dict.fromkeys(range(workers), 0)
        turn = 0
        while batches:  # a DataLoader asks its workers in turn and passes over those that are done
            if done[turn] < sizes[turn]:
                done[turn] += 1
                batches -= 1
            turn = (turn + 1) % workers
        return self._state(done, workers, turn)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on exactly there; `RowsError` when rows, order, columns or ranks are not those of then."""
        for name, value in self._identity().items():
            if state.get(name) != value:
                raise RowsError(f"The position was taken with {name} {state.get(name)!r}; here it is {value!r}.")
        self.set_epoch(int(state["epoch"]))
        self._done = {int(worker): int(count) for worker, count in state["done"].items()}
        self._workers, self._turn = int(state["workers"]), int(state["turn"])

    def _order(self, worker: int, workers: int) -> Order:
        how = self.how
        return Order(
            rows=self.rows,
            columns=(*self.features, self.label),
            seed=how.seed,
            epoch=self.epoch,
            consumer=how.rank * workers + worker,
            consumers=how.world * workers,
            batch_rows=how.batch_rows,
            buffer_rows=how.buffer_rows,
            equal=how.equal,
        )

    def _state(self, done: Mapping[int, int], workers: int, turn: int) -> dict[str, Any]:
        return {"epoch": self.epoch, "workers": workers, "done": dict(done), "turn": turn, **self._identity()}

    def _identity(self) -> dict[str, Any]:
        """What an order depends on besides epoch and workers."""
        how = {name: value for name, value in asdict(self.how).items() if name not in ("features", "label")}
        columns = [*self.features, self.label]
        return how | {"columns": columns, "rows": [file.rows for file in self.rows.files]}

    def _tensors(self, batch: pa.RecordBatch) -> tuple[torch.Tensor, torch.Tensor]:
        import numpy as np
        import torch

        features, label = matrix(batch, self.features), matrix(batch, [self.label])[:, 0]
        if not np.isfinite(label).all():
            raise RowsError(
                f"Label {self.label!r} is null or infinite in some rows. Leave them out, or mend the label."
            )
        if (odd := np.isinf(features).any(axis=0)).any():
            raise RowsError(f"Feature {self.features[int(odd.argmax())]!r} has values beyond 3.4e38. Scale it.")
        return torch.from_numpy(features), torch.from_numpy(label.copy())
