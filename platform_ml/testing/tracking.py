"""The laws of trackers and registries: the test class of an adapter inherits them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from platform_ml.engine.tracked import TrackedDataset, TrackedRun
from platform_ml.spec.errors import StoreError
from platform_ml.spec.stage import PROMOTE, ROLLBACK, Stage, Transition

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from platform_ml.engine.ports import Registry, Tracker


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What a tracker remembers of a run."""

    name: str
    status: str
    params: Mapping[str, str]
    metrics: Mapping[str, Sequence[float]]
    """By step."""
    tags: Mapping[str, str]
    files: Mapping[str, bytes]
    children: Sequence[str]


TRIAL = TrackedRun(
    name="trial 0",
    experiment="shop/lapse_model",
    params={"max_depth": 3},
    metrics={"validation_roc_auc": 0.7},
    tags={"kind": "trial"},
    curves={"step_score": [0.5, 0.6, 0.7]},
)
RUN = TrackedRun(
    name="lapse_model 2024-06-10",
    experiment="shop/lapse_model",
    params={"max_depth": 3, "learning_rate": 0.1},
    metrics={"validation_roc_auc": 0.7, "seconds": 12.5},
    tags={"model_digest": "m" * 64, "git_commit": "abc"},
    curves={"step_score": [0.5, 0.6, 0.7]},
    children=[TRIAL, replace(TRIAL, name="trial 1")],
)


class TrackerContract(ABC):
    """What every tracker promises."""

    @pytest.fixture
    @abstractmethod
    def tracker(self) -> Tracker:
        """The adapter under test."""

    @abstractmethod
    def kept(self, tracker: Tracker, run_id: str) -> Kept:
        """The run, read back without the adapter."""

    @abstractmethod
    def steps(self, tracker: Tracker, run_id: str, metric: str) -> list[int]:
        """The steps of a curve, read back without the adapter."""

    @abstractmethod
    def datasets(self, tracker: Tracker, run_id: str) -> list[tuple[str, str, str]]:
        """(name, whole digest, context) of every dataset of a run, read back without the adapter."""

    def test_everything_is_kept(self, tracker: Tracker) -> None:
        kept = self.kept(tracker, tracker.record(RUN).run_id)
        assert kept.name == RUN.name
        assert kept.status == "FINISHED"
        assert kept.params == {"max_depth": "3", "learning_rate": "0.1"}
        assert kept.metrics == {"validation_roc_auc": [0.7], "seconds": [12.5], "step_score": [0.5, 0.6, 0.7]}
        assert RUN.tags.items() <= kept.tags.items()

    def test_children_are_runs_below_it(self, tracker: Tracker) -> None:
        children = [self.kept(tracker, child) for child in self.kept(tracker, tracker.record(RUN).run_id).children]
        assert sorted(child.name for child in children) == ["trial 0", "trial 1"]
        assert all(child.status == "FINISHED" and child.params == {"max_depth": "3"} for child in children)
        assert all(child.metrics["step_score"] == [0.5, 0.6, 0.7] for child in children)

    def test_files_lie_where_they_were_meant_to(self, tracker: Tracker, tmp_path: Path) -> None:
        (tmp_path / "a").write_bytes(b"one")
        (tmp_path / "b").write_bytes(b"two")
        run = replace(RUN, artifacts={"model/model.ubj": tmp_path / "a", "notes.md": tmp_path / "b"})
        assert self.kept(tracker, tracker.record(run).run_id).files == {"model/model.ubj": b"one", "notes.md": b"two"}

    @pytest.mark.parametrize("path", ["../outside", "model/../../outside"])
    def test_no_file_leaves_the_run(self, tracker: Tracker, tmp_path: Path, path: str) -> None:
        (tmp_path / "a").write_bytes(b"one")
        with pytest.raises(StoreError, match="no path inside"):
            tracker.record(replace(RUN, artifacts={path: tmp_path / "a"}))

    def test_two_runs_are_two(self, tracker: Tracker) -> None:
        assert tracker.record(RUN).run_id != tracker.record(RUN).run_id

    def test_what_is_no_number_is_named_and_not_kept(self, tracker: Tracker) -> None:
        run = replace(
            RUN, metrics={"good": 1.0, "bad": math.nan, "worse": math.inf}, curves={"c": [0.1, math.inf, 0.3]}
        )
        kept = self.kept(tracker, tracker.record(run).run_id)
        assert kept.metrics == {"good": [1.0], "c": [0.1, 0.3]}
        assert kept.tags["skipped_metrics"] == "bad, worse"

    def test_metrics_of_the_field_have_legal_names(self, tracker: Tracker) -> None:
        kept = self.kept(
            tracker, tracker.record(replace(RUN, metrics={"ndcg@10": 0.5, "näh? (%)": 1.0}, curves={})).run_id
        )
        assert set(kept.metrics) == {"ndcg_at_10", "näh_ ___"}

    def test_many_of_everything(self, tracker: Tracker) -> None:
        run = replace(
            RUN,
            params={f"p{n}": n for n in range(350)},
            metrics={f"m{n}": n / 7 for n in range(50)},
            curves={"long": [n / 3 for n in range(2_500)]},
            children=[],
        )
        kept = self.kept(tracker, tracker.record(run).run_id)
        assert kept.params == {name: str(value) for name, value in run.params.items()}
        assert kept.metrics["long"] == run.curves["long"]
        assert len(kept.metrics) == 51

    def test_a_thinned_curve_has_its_steps(self, tracker: Tracker) -> None:
        whole = replace(RUN, curves={"thin": [0.1, 0.2, 0.3]}, every=10, children=[])
        assert self.steps(tracker, tracker.record(whole).run_id, "thin") == [0, 10, 20]

    def test_the_same_key_is_the_same_run(self, tracker: Tracker) -> None:
        run = replace(RUN, key="k")
        first = tracker.record(run).run_id
        assert tracker.record(replace(run, metrics={"late": 1.0}, started=run.started + 1)).run_id == first
        kept = self.kept(tracker, first)
        assert kept.metrics == {"validation_roc_auc": [0.7], "seconds": [12.5], "step_score": [0.5, 0.6, 0.7]}
        assert len(kept.children) == 2
        assert tracker.find(run.experiment, "k") == first
        assert tracker.find(run.experiment, "other") is None
        assert tracker.find("other", "k") is None

    def test_another_part_is_added(self, tracker: Tracker) -> None:
        first = tracker.record(replace(RUN, key="k", children=[replace(TRIAL, key="k/a")])).run_id
        child = replace(TRIAL, key="k/a", part="more", params={}, curves={}, metrics={"test": 0.6})
        more = replace(RUN, key="k", part="more", params={}, curves={}, metrics={"test": 0.9}, children=[child])
        assert tracker.record(replace(more, tags={"new": "yes"})).run_id == first
        assert tracker.record(more).run_id == first
        kept = self.kept(tracker, first)
        assert (kept.metrics["test"], kept.metrics["validation_roc_auc"]) == ([0.9], [0.7])
        assert {"new": "yes", **RUN.tags}.items() <= kept.tags.items()
        (below,) = (self.kept(tracker, one) for one in kept.children)
        assert (below.metrics["test"], below.status) == ([0.6], "FINISHED")

    def test_runs_are_listed_by_kind(self, tracker: Tracker) -> None:
        for name, kind, started in (("a", "search", 1_000_000), ("b", "fit", 3_000_000), ("c", "trial", 2_000_000)):
            tracker.record(replace(RUN, name=name, tags={"kind": kind}, started=started, seconds=2.5, children=[]))
        found = tracker.runs(RUN.experiment, ("search", "fit"))
        assert [(run.name, run.seconds, run.finished) for run in found] == [("b", 2.5, True), ("a", 2.5, True)]
        assert found[0].metrics["step_score"] == 0.7
        assert found[0].params["max_depth"] == "3"
        assert tracker.runs("nowhere", ("search",)) == []

    def test_the_rows_behind_a_run_are_named(self, tracker: Tracker) -> None:
        rows = TrackedDataset(
            name="shop/d", digest="d" * 64, source="d@dd", context="training", columns={"a": "DOUBLE"}
        )
        run_id = tracker.record(replace(RUN, datasets=[rows])).run_id
        assert self.datasets(tracker, run_id) == [("shop/d", "d" * 64, "training")]

    def test_long_words_are_cut_where_there_is_no_room(self, tracker: Tracker) -> None:
        kept = self.kept(
            tracker, tracker.record(replace(RUN, params={"p": "x" * 9_000}, tags={"t": "y" * 9_000})).run_id
        )
        assert kept.params["p"].startswith("x" * 5_000)
        assert kept.tags["t"].startswith("y" * 5_000)

    def test_nothing_but_a_name_is_a_run(self, tracker: Tracker) -> None:
        run_id = tracker.record(TrackedRun(name="empty", experiment="e", params={}, metrics={}, tags={})).run_id
        assert self.kept(tracker, run_id).status == "FINISHED"


def moved(version: int, *, who: str = "ada", **changes: Any) -> Transition:
    """A version becomes the champion, with a reason that is no plain ASCII."""
    made = Transition(
        version=version,
        before=Stage.CANDIDATE,
        after=Stage.CHAMPION,
        act=PROMOTE,
        who=who,
        when=datetime(2024, 6, 10, 12, 30, 0, 123456, tzinfo=UTC),
        why="'Better' \u2013 by 2 %",
        run="Dagster run 7",
        manifest="f" * 64,
    )
    return replace(made, **changes)


class RegistryContract(ABC):
    """What every registry promises."""

    @pytest.fixture
    @abstractmethod
    def registry(self) -> Registry:
        """The adapter under test."""

    @pytest.fixture
    @abstractmethod
    def run_id(self) -> str:
        """A run that was recorded in the same store."""

    @abstractmethod
    def files_of(self, registry: Registry, name: str, version: str) -> Mapping[str, bytes]:
        """The files of a version, read back without the adapter."""

    @pytest.fixture
    def files(self, tmp_path: Path) -> Mapping[str, Path]:
        """A model and its card."""
        (tmp_path / "a").write_bytes(b"trees")
        (tmp_path / "b").write_bytes(b"words")
        return {"model.ubj": tmp_path / "a", "card/card.md": tmp_path / "b"}

    def test_versions_are_counted(self, registry: Registry, run_id: str, files: Mapping[str, Path]) -> None:
        assert [registry.register("lapse", run_id, files, {}) for _ in range(3)] == ["1", "2", "3"]
        assert registry.register("other", run_id, files, {}) == "1"

    def test_a_version_has_its_files(self, registry: Registry, run_id: str, files: Mapping[str, Path]) -> None:
        version = registry.register("lapse", run_id, files, {})
        expected = {"model.ubj": b"trees", "card/card.md": b"words"}
        assert self.files_of(registry, "lapse", version) == expected
        files["model.ubj"].write_bytes(b"other trees")
        assert self.files_of(registry, "lapse", version) == expected

    def test_a_version_is_found_by_its_tags(self, registry: Registry, run_id: str, files: Mapping[str, Path]) -> None:
        for model in "abb":
            registry.register("lapse", run_id, files, {"model": model, "it's": "here"})
        assert registry.find("lapse", {"model": "a"}) == "1"
        assert registry.find("lapse", {"model": "b", "it's": "here"}) == "3"
        assert registry.find("lapse", {"model": "b", "it's": "gone"}) is None
        assert registry.find("lapse", {"more": "b"}) is None
        assert registry.find("other", {}) is None

    def test_of_the_same_there_is_one_version(self, registry: Registry, run_id: str, files: Mapping[str, Path]) -> None:
        tags = {"model": "a", "numbers": "1"}
        made = [registry.register("lapse", run_id, files, tags, once=("model", "numbers")) for _ in range(2)]
        made.append(registry.register("lapse", run_id, files, tags | {"numbers": "2"}, once=("model", "numbers")))
        made.append(registry.register("lapse", run_id, files, tags | {"note": "new"}, once=("model", "numbers")))
        assert made == ["1", "1", "2", "1"]

    def test_a_version_is_fetched_as_it_was_registered(
        self, registry: Registry, run_id: str, files: Mapping[str, Path], tmp_path: Path
    ) -> None:
        version = int(registry.register("lapse", run_id, files, {"model": "a"}))
        (folder := tmp_path / "fetched").mkdir()
        assert registry.fetch("lapse", version, folder) == {"model": "a"}
        found = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
        assert found == self.files_of(registry, "lapse", str(version))
        (folder / "model.ubj").write_bytes(b"other trees")
        assert self.files_of(registry, "lapse", str(version))["model.ubj"] == b"trees"

    def test_transitions_are_kept_in_order(self, registry: Registry, run_id: str, files: Mapping[str, Path]) -> None:
        assert registry.history("lapse") == []
        assert registry.promoted("lapse", "champion") is None
        for model in "ab":
            registry.register("lapse", run_id, files, {"model": model})
        assert registry.history("lapse") == []
        assert registry.promoted("lapse", "champion") is None
        entries = [moved(1), moved(2, displaced=1), moved(1, before=Stage.ARCHIVED, act=ROLLBACK, displaced=2)]
        for number, (entry, model) in enumerate(zip(entries, "aba", strict=True)):
            assert registry.enter("lapse", entry, after=number) is None
            assert registry.promoted("lapse", "champion") == {"model": model}
        assert registry.history("lapse") == entries
        assert registry.promoted("lapse", "challenger") is None
        assert registry.history("other") == []

    def test_a_version_goes_by_its_number_too(self, registry: Registry, run_id: str, files: Mapping[str, Path]) -> None:
        for model in "ab":
            registry.register("lapse", run_id, files, {"model": model})
        assert [registry.promoted("lapse", version) for version in "12"] == [{"model": "a"}, {"model": "b"}]
        assert registry.promoted("lapse", "3") is None

    def test_of_two_transitions_in_one_place_the_first_is_kept(
        self, registry: Registry, run_id: str, files: Mapping[str, Path]
    ) -> None:
        for model in "ab":
            registry.register("lapse", run_id, files, {"model": model})
        first, second = moved(1), moved(2, who="bob")
        assert registry.enter("lapse", first, after=0) is None
        assert registry.enter("lapse", second, after=0) == first
        assert registry.history("lapse") == [first]
        assert registry.promoted("lapse", "champion") == {"model": "a"}
        assert registry.enter("lapse", first, after=0) is None  # again, by one whose answer got lost

    def test_what_is_not_there_cannot_be_moved(
        self, registry: Registry, run_id: str, files: Mapping[str, Path]
    ) -> None:
        with pytest.raises(StoreError):
            registry.enter("lapse", moved(1), after=0)
        registry.register("lapse", run_id, files, {})
        with pytest.raises(StoreError):
            registry.enter("lapse", moved(7), after=0)
        assert registry.history("lapse") == []

    def test_a_lost_run_does_not_lose_the_model(self, registry: Registry, files: Mapping[str, Path]) -> None:
        version = registry.register("lapse", "0" * 32, files, {"model": "a"})
        assert registry.find("lapse", {"model": "a"}) == version
        assert self.files_of(registry, "lapse", version)["model.ubj"] == b"trees"
