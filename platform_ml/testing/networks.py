"""The laws of networks over lists: a member's test class inherits them, one for each task."""

from __future__ import annotations

import sys
from dataclasses import fields, replace
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
import pytest
from scipy.special import logit

from platform_ml.engine.portable import run
from platform_ml.families import checkpoint, epochs
from platform_ml.spec.errors import PlatformError, RowsError, StoreError
from platform_ml.spec.family import Categorical, Portable
from platform_ml.spec.task import BINARY, Task
from platform_ml.testing.families import PICKLE, invented
from platform_ml.testing.learners import quality, with_shop

if TYPE_CHECKING:
    from pathlib import Path

    from platform_ml.engine.rows import SplitRows

TRAINING = {
    "dropout": 0.1,
    "learning_rate": 0.02,
    "weight_decay": 0.01,
    "batch_rows": 64,
    "accumulate": 1,
    "clip_norm": 1.0,
    "max_epochs": 6,
    "early_stopping_epochs": 3,
    "max_levels": 50,
    "schedule": "cosine",
    "warm_up": 0.05,
    "precision": "auto",
    "loss": None,
}
"""What all networks have; few epochs of few rows."""
FEATURES = ("recency", "amount", "shop", "days_ago", "spent", "clicks")
LIST = pa.list_(pa.field("element", pa.float64()))


class KilledError(BaseException):
    """Like a signal, nothing in a training catches it."""


@cache
def lists(seed: int, rows: int = 400, task: Task = BINARY) -> SplitRows:
    """Rows whose label follows the events of a customer, the newer the more; `clicks` come from elsewhere."""
    plain = with_shop(invented(seed, rows, task=task), seed + 4)
    draw = np.random.default_rng(seed + 100)
    ages = [np.sort(draw.gamma(2.0, 5.0, draw.integers(0, 8)))[::-1] for _ in range(rows)]
    spent = [draw.normal(size=len(some)) for some in ages]
    strength = np.array([(values * 0.7 ** np.arange(len(values))[::-1]).sum() for values in spent])
    clicks = [draw.normal(size=draw.integers(0, 4)).tolist() or None for _ in range(rows)]
    features = plain.features.select(["recency", "amount", "shop"])
    for name, found in (("days_ago", ages), ("spent", spent)):
        column = [some.tolist() or None for some in found]
        if name == "spent":
            column = [some and [None if draw.random() < 0.1 else value for value in some] for some in column]
        features = features.append_column(name, pa.array(column, LIST))
    noisy = strength + 0.3 * draw.normal(size=rows)
    label = (noisy > 0).astype(np.float64) if task is BINARY else noisy * 10 + 5
    return replace(plain, features=features.append_column("clicks", pa.array(clicks, LIST)), label=label, cache={})


@pytest.mark.usefixtures("_on_the_cpu")
class ListNetworkContract:
    """What every network over lists promises."""

    task: ClassVar[Task] = BINARY
    member: ClassVar[Any]
    params: ClassVar[dict[str, Any]]
    """A value for every field."""

    @pytest.fixture
    def _on_the_cpu(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(epochs.DEVICE, "cpu")

    @pytest.fixture
    def fitted(self) -> Any:
        """Looked at by many tests, changed by none."""
        contract: Any = type(self)
        return fitted_once(contract)

    @pytest.fixture
    def unseen(self) -> SplitRows:
        """Other rows of the same kind."""
        return lists(3, 300, self.task)

    @classmethod
    def fit(cls, *, train: SplitRows | None = None, report: Any = None, seed: int = 7, **changes: Any) -> Any:
        """Fit with plain values, and matrices of its own."""
        rows = replace(train or lists(1, task=cls.task), cache={}), replace(lists(2, 200, cls.task), cache={})
        return cls.member().fit(*rows, params={**cls.params, **changes}, seed=seed, report=report)

    def saved(self, fitted: Any, folder: Path) -> bytes:
        """The bytes of its file."""
        folder.mkdir(exist_ok=True)
        found: bytes = fitted.save(folder).read_bytes()
        return found

    def test_every_field_is_a_hyper_parameter(self) -> None:
        assert set(self.params) == {item.name for item in fields(self.member())}
        assert self.task in self.member().tasks

    def test_it_learns_from_lists(self, fitted: Any, unseen: SplitRows) -> None:
        assert quality(unseen, fitted.predict(unseen.features)) > 0.75
        contributions = np.abs(fitted.contributions(unseen.features.slice(0, 100))).mean(axis=0)
        assert FEATURES[int(contributions.argmax())] == "spent"

    def test_rows_are_predicted_one_by_one(self, fitted: Any, unseen: SplitRows) -> None:
        rows = unseen.features
        together = fitted.predict(rows)
        assert together.shape == (300,)
        assert together.dtype == np.float64
        assert together[:20].tolist() == [fitted.predict(rows.slice(row, 1))[0] for row in range(20)]
        turned = rows.select(FEATURES[::-1]).append_column("more", pa.nulls(300))
        assert fitted.predict(turned).tolist() == together.tolist()
        assert fitted.predict(rows.slice(0, 0)).shape == (0,)
        assert fitted.contributions(rows.slice(0, 0)).shape == (0, 6)

    def test_nothing_known_is_a_row_too(self, fitted: Any, unseen: SplitRows) -> None:
        kinds = {name: unseen.features.schema.field(name).type for name in FEATURES}
        nulls = pa.table({name: pa.nulls(2, kind) for name, kind in kinds.items()})
        untyped = pa.table({name: pa.nulls(2) for name in FEATURES})
        empty = nulls.set_column(3, "days_ago", pa.array([[]] * 2, LIST))
        assert np.isfinite(fitted.predict(nulls)).all()
        assert fitted.predict(untyped).tolist() == fitted.predict(nulls).tolist() == fitted.predict(empty).tolist()

    def test_only_the_newest_elements_are_read(self, fitted: Any, unseen: SplitRows) -> None:
        longest = self.params["longest"]
        rows = unseen.features
        for name in ("days_ago", "spent", "clicks"):
            cut = pa.array([some and some[-longest:] for some in rows[name].to_pylist()], LIST)
            rows = rows.set_column(rows.column_names.index(name), name, cut)
        assert fitted.predict(rows).tolist() == fitted.predict(unseen.features).tolist()

    def test_lists_of_one_window_stay_together(self, fitted: Any, unseen: SplitRows) -> None:
        assert [some.names for some in fitted.inputs_of.lists] == [("days_ago", "spent"), ("clicks",)]
        short = pa.array([some and some[1:] for some in unseen.features["spent"].to_pylist()], LIST)
        with pytest.raises(RowsError, match="'days_ago' and 'spent' belong together"):
            fitted.predict(unseen.features.set_column(4, "spent", short))

    def test_contributions_add_up_to_the_prediction(self, fitted: Any, unseen: SplitRows) -> None:
        rows = unseen.features.slice(0, 100)
        prediction, contributions = fitted.predict(rows), fitted.contributions(rows)
        base = (logit(prediction) if self.task is BINARY else prediction) - contributions.sum(axis=1)
        np.testing.assert_allclose(base, base[0], atol=1e-4)
        assert fitted.contributions(rows).tolist() == contributions.tolist()

    def test_its_graph_predicts_the_same(self, fitted: Any, unseen: SplitRows) -> None:
        expected = fitted.predict(unseen.features)
        found = run(fitted.onnx(), fitted.inputs(unseen.features))
        np.testing.assert_allclose(found, expected, atol=1e-5 * max(1.0, np.abs(expected).max()))
        assert fitted.onnx() == fitted.onnx()
        assert isinstance(fitted, Portable)

    def test_same_seed_same_bytes_whatever_threads_there_are(self, fitted: Any, tmp_path: Path) -> None:
        import torch

        whole, threads = self.saved(fitted, tmp_path / "one"), torch.get_num_threads()
        torch.set_num_threads(3)
        try:
            assert self.saved(self.fit(), tmp_path / "again") == whole
            assert torch.get_num_threads() == 3
        finally:
            torch.set_num_threads(threads)
        assert self.saved(self.fit(seed=8), tmp_path / "other") != whole
        assert not whole.startswith(PICKLE)

    def test_the_columns_are_built_once(self) -> None:
        rows = replace(lists(1, task=self.task), cache={}), replace(lists(2, 200, self.task), cache={})
        for seed in (1, 2):
            before = [dict(some.cache) for some in rows]
            self.member().fit(*rows, params={**self.params, "max_epochs": 1}, seed=seed)
        for some, known in zip(rows, before, strict=True):
            assert known
            assert all(some.cache[key] is value for key, value in known.items())

    def test_it_reads_back_what_it_wrote(self, fitted: Any, unseen: SplitRows, tmp_path: Path) -> None:
        file = fitted.save(tmp_path)
        assert list(tmp_path.iterdir()) == [file]
        again = self.member().load(file, FEATURES)
        assert again.predict(unseen.features).tolist() == fitted.predict(unseen.features).tolist()
        assert self.saved(again, tmp_path / "again") == file.read_bytes()

    def test_another_file_is_refused(self, fitted: Any, tmp_path: Path) -> None:
        file = fitted.save(tmp_path)
        with pytest.raises(StoreError, match="other features"):
            self.member().load(file, FEATURES[::-1])
        whole = file.read_bytes()
        for content in (b"", b"no model", b"{}", whole[: len(whole) // 2]):
            file.write_bytes(content)
            with pytest.raises(StoreError, match="Materialize the model again"):
                self.member().load(file, FEATURES)
        odd = replace(fitted, weights={**fitted.weights, "out.bias": np.zeros(7, np.float32)})
        with pytest.raises(StoreError, match="does not fit together"):
            self.member().load(odd.save(tmp_path), FEATURES)

    def test_what_was_never_seen_is_taken_as_missing_and_counted(self, fitted: Any, unseen: SplitRows) -> None:
        rows, place = unseen.features, FEATURES.index("shop")
        new = rows.set_column(place, "shop", pa.array(["Mars"] * 300))
        gone = rows.set_column(place, "shop", pa.nulls(300, pa.string()))
        assert fitted.unseen(new) == {"shop": 300}
        assert fitted.predict(new).tolist() == fitted.predict(gone).tolist()
        assert isinstance(fitted, Categorical)

    def test_rows_that_weigh_more_pull_harder(self, fitted: Any, unseen: SplitRows) -> None:
        train = lists(1, task=self.task)
        heavy = replace(train, weight=np.where(train.label > train.label.mean(), 20.0, 1.0))
        assert self.fit(train=heavy).predict(unseen.features).mean() > fitted.predict(unseen.features).mean()

    def test_bad_rows_are_refused_by_name(self, fitted: Any, unseen: SplitRows) -> None:
        train, rows = lists(1, task=self.task), unseen.features
        for values, complaint in (
            (pa.nulls(400, LIST), "'spent' is null in all"),
            (pa.array([[float("inf")]] * 400, LIST), "'spent' has infinite"),
            (pa.array([[1e300]] * 400, LIST), "'spent' has values beyond"),
        ):
            with pytest.raises(RowsError, match=complaint):
                self.fit(train=replace(train, features=train.features.set_column(4, "spent", values)))
        with pytest.raises(RowsError, match="'spent' is double, but in training it was a list"):
            fitted.predict(rows.set_column(4, "spent", pa.array([1.0] * 300)))
        with pytest.raises(RowsError, match="no feature 'spent'"):
            fitted.predict(rows.drop_columns(["spent"]))
        with pytest.raises(
            RowsError, match=r"reads lists, but none of the 3 features is one\. Declare an EventSequence"
        ):
            self.fit(train=replace(train, features=train.features.select(FEATURES[:3])))
        with pytest.raises(RowsError, match="labels of the train split are"):
            self.fit(train=replace(train, label=np.ones(400)))

    def test_a_killed_training_goes_on_to_the_same_weights(
        self, fitted: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        whole = self.saved(fitted, tmp_path / "whole")
        monkeypatch.setenv(checkpoint.CHECKPOINTS, str(tmp_path / "checkpoints"))
        monkeypatch.setattr(epochs, "STEPS_BETWEEN", 3)
        write, left = checkpoint.Checkpoint.write, [6]

        def write_and_die(self: Any, *arguments: Any) -> None:
            write(self, *arguments)
            left[0] -= 1
            if not left[0]:
                raise KilledError

        monkeypatch.setattr(checkpoint.Checkpoint, "write", write_and_die)
        with pytest.raises(KilledError):
            self.fit()
        assert len(list((tmp_path / "checkpoints").iterdir())) == 1
        told: list[int] = []
        again = self.fit(report=lambda step, _: told.append(step))
        assert self.saved(again, tmp_path / "again") == whole
        assert told == list(range(len(told)))
        assert list((tmp_path / "checkpoints").iterdir()) == []

    def test_memory_is_saved_without_another_result(self, unseen: SplitRows) -> None:
        whole, parts = (self.fit(accumulate=count, dropout=0.0, max_epochs=2) for count in (1, 4))
        np.testing.assert_allclose(parts.predict(unseen.features), whole.predict(unseen.features), rtol=1e-3, atol=1e-3)

    def test_it_says_what_training_took(self, fitted: Any) -> None:
        profile = fitted.training_profile
        assert 1 <= profile["best_epoch"] <= profile["epochs"] <= self.params["max_epochs"]
        assert profile["peak_memory_mb"] > 50
        assert profile["device_peak_memory_mb"] == 0

    def test_without_its_library_it_says_what_to_install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "torch", None)
        with pytest.raises(PlatformError, match=r"pip install 'platform_ml\[deep\]'"):
            self.fit()


@cache
def fitted_once(contract: Any) -> Any:
    """The member of a contract, fitted; on the device that its tests choose."""
    return contract.fit()
