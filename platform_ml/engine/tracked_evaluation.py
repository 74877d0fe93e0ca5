"""What the tracker is told of an evaluation: one more part of the model's run, and of those of its baselines."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from platform_ml.engine.evaluation import FILE
from platform_ml.engine.explanation_summary import explanation_tables
from platform_ml.engine.tracked import Recorded, TrackedRun
from platform_ml.engine.tracked_ablation import with_ablation_scores
from platform_ml.engine.tracked_run import BASELINE, FIT, SEARCH, baseline_key, dataset_tags, run_key, run_name
from platform_ml.engine.training_dataset import split_rows
from platform_ml.engine.tuned_model import fitted
from platform_ml.engine.winner import winner
from platform_ml.spec.intervals import COVERED
from platform_ml.spec.space import ranges
from platform_ml.spec.task import CLUSTERING, MULTICLASS, RANKING
from platform_ml.spec.training_dataset import SPLITS, TEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact
    from platform_ml.engine.rows import SplitRows
    from platform_ml.spec.clusters import ClusterScore
    from platform_ml.spec.evaluation import Estimate, Evaluation, EvaluationResult
    from platform_ml.spec.family import Predictor

    Numbers = NDArray[np.float64]

SAMPLED = 50
"""Test rows whose predictions are shown, evenly spread over the split."""
THRESHOLD = 0.5
"""Where a probability becomes a yes in the confusion matrix."""
QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)


@dataclass(frozen=True, kw_only=True)
class Evaluated:
    """An evaluation with everything that it was made of."""

    evaluation: Evaluation
    result: EvaluationResult
    artifact: Artifact
    dataset: Artifact
    model: Artifact


def track_evaluation(done: Evaluated, *, work: Work) -> Recorded:
    """Add the numbers of an evaluation to the run of its model."""
    model = done.evaluation.model
    predictor, baselines = fitted(model, done.model)
    splits = {split: split_rows(model.dataset, done.dataset, split) for split in SPLITS}
    with TemporaryDirectory() as aside:
        files = _files(Path(aside), done.result, splits[TEST], predictor)
        files[FILE] = done.artifact.folder / FILE
        run = _run(
            done, work.project, files, [_baseline(done, name, baselines[name], splits, work) for name in baselines]
        )
        recorded = work.platform.tracker.record(with_ablation_scores(run, done.model.digest, _ablated(done.result)))
    if recorded.waits:
        work.say(f"{work.table(done.evaluation)}: its numbers are kept and sent to the tracker later: {recorded.waits}")
    return recorded


def _run(done: Evaluated, experiment: str, files: Mapping[str, Path], baselines: Sequence[TrackedRun]) -> TrackedRun:
    result, model = done.result, done.evaluation.model
    family = winner(model, done.model.record)
    kind = SEARCH if ranges(family) else FIT
    scores = {f"{split}_{name}": one for split, of in result.splits.items() for name, one in of.metrics.items()}
    leads = {f"lead_{rival}_{name}": one for rival, of in result.baselines.items() for name, one in of.lead.items()}
    return TrackedRun(
        name=run_name(kind, done.model.record.get("family") or family.name),
        experiment=experiment,
        key=run_key(done.model.digest),
        part=f"evaluation-{result.digest[:12]}",
        params={},
        metrics=_flat(scores | leads)
        | interval_numbers(result)
        | cluster_numbers(result)
        | {f"latency_{name}_ms": value for name, value in result.latency_ms.items()}
        | {"size_bytes": float(result.size_bytes)}
        | {f"{split}_rows": float(of.rows) for split, of in result.splits.items()},
        tags={"kind": kind, "candidate": "true", "model": model.name, "cutoff": result.cutoff}
        | dataset_tags(model, done.dataset)
        | {"evaluation": done.evaluation.name, "evaluation_digest": result.digest}
        | {"model_digest": done.model.digest, "main_metric": done.evaluation.metrics[0].name}
        | {f"goal.{name}": goal for name, goal in result.goals.items()},
        artifacts={f"evaluation/{name}": file for name, file in files.items()},
        children=baselines,
    )


def _baseline(
    done: Evaluated, name: str, predictor: Predictor, splits: Mapping[str, SplitRows], work: Work
) -> TrackedRun:
    """The same metrics of a rival: on test as they were judged, on the other splits computed here."""
    evaluation, result = done.evaluation, done.result
    others = {
        f"{split}_{metric.name}": float(metric.score(rows.label, predictor.predict(rows.features), rows.group))
        for split, rows in splits.items()
        for metric in evaluation.metrics
        if split != TEST and len(rows.label)
    }
    return TrackedRun(
        name=run_name(BASELINE, name),
        experiment=work.project,
        key=baseline_key(done.model.digest, name),
        part=f"evaluation-{result.digest[:12]}",
        params={},
        metrics=others | _flat({f"{TEST}_{metric}": one for metric, one in result.baselines[name].metrics.items()}),
        tags={"kind": BASELINE, "baseline": name, "model": evaluation.model.name, "cutoff": result.cutoff}
        | dataset_tags(evaluation.model, done.dataset),
    )


def _ablated(result: EvaluationResult) -> dict[str, dict[str, float]]:
    """What is lost, too: below 0 where the model is better without."""
    return {
        name: _flat({f"{TEST}_{metric}": value for metric, value in one.metrics.items()})
        | _flat({f"loss_{TEST}_{metric}": value for metric, value in one.lead.items()})
        for name, one in result.ablations.items()
    }


def interval_numbers(result: EvaluationResult) -> dict[str, float]:
    """Coverage and mean width on the test rows, beside what was promised."""
    score = result.intervals
    if score is None or score.covered.value is None or score.width is None:
        return {}
    ends = {"": score.covered.value, "_low": score.covered.low, "_high": score.covered.high}
    named = {f"{TEST}_{COVERED}{end}": value for end, value in ends.items() if value is not None}
    return named | {f"{TEST}_interval_width": score.width, f"{TEST}_interval_promised": score.promised}


def cluster_numbers(result: EvaluationResult) -> dict[str, float]:
    """How far apart they are on test rows, and how stable."""
    score = result.clusters
    if score is None:
        return {}
    named = {name: getattr(score, name) for name in ("silhouette", "davies_bouldin", "agreement")}
    stable = [one.stability for one in score.clusters if one.stability is not None]
    named |= {"least_stability": min(stable)} if stable else {}
    return {f"{TEST}_{name}": value for name, value in named.items() if value is not None}


def cluster_table(score: ClusterScore) -> tuple[Sequence[str], Iterable[Sequence[object]]]:
    """Each cluster with its rows, its stability and the means of its features."""
    head = ("cluster", "train_rows", "test_rows", "stability", *score.means)
    return head, [
        (one.number, one.train_rows, one.test_rows, one.stability, *(one.means.get(name) for name in score.means))
        for one in score.clusters
    ]


def _flat(estimates: Mapping[str, Estimate]) -> dict[str, float]:
    """A number, and the ends of its interval where it has one; what is not defined is named by the tracker."""
    found: dict[str, float] = {}
    for name, one in estimates.items():
        found[name] = math.nan if one.value is None else one.value
        ends = {f"{name}_low": one.low, f"{name}_high": one.high}
        found |= {end: value for end, value in ends.items() if value is not None}
    return found


def _files(folder: Path, result: EvaluationResult, test: SplitRows, predictor: Predictor) -> dict[str, Path]:
    """Tables that the tracker's pages show: importance, confusion matrix or residuals, some predictions."""
    import numpy as np

    if not len(test.label):
        return {}
    prediction = np.asarray(predictor.predict(test.features), dtype=np.float64)
    tables: dict[str, tuple[Sequence[str], Iterable[Sequence[object]]]] = explanation_tables(result) | {
        "importance.csv": (
            ("feature", "mean_abs_shap", "meaning"),
            [(item.feature, item.mean_abs_shap, item.meaning) for item in result.importance],
        ),
        "sample_predictions.csv": (_sample_head(test, prediction), _sample(test, prediction)),
    }
    if result.task == MULTICLASS:
        names = [f"predicted {one.name}" for one in result.classes]
        tables["confusion_matrix.csv"] = ("label", *names), [(one.name, *one.predicted) for one in result.classes]
        tables["class_scores.csv"] = (
            ("class", "rows", "precision", "recall", "f1", "roc_auc"),
            [(one.name, one.rows, one.precision, one.recall, one.f1, one.roc_auc) for one in result.classes],
        )
    elif result.clusters is not None:
        tables["clusters.csv"] = cluster_table(result.clusters)
    elif result.task == RANKING:
        tables["ndcg_by_size.csv"] = ("rows of a group", "ndcg_at_10"), result.curves.get("ndcg_by_size", ())
    elif _yes_or_no(test.label, prediction):
        tables["confusion_matrix.csv"] = ("label", "predicted 0", "predicted 1"), confusion(test.label, prediction)
    else:
        tables["residuals.csv"] = ("quantile", "prediction minus label"), residuals(test.label, prediction)
    return {name: _csv(folder / name, head, rows) for name, (head, rows) in tables.items()}


def confusion(label: Numbers, prediction: Numbers) -> list[tuple[int, int, int]]:
    """(label, rows predicted 0, rows predicted 1) for both labels, cut at a probability of one half."""
    yes = prediction >= THRESHOLD
    return [(of, int(((label == of) & ~yes).sum()), int(((label == of) & yes).sum())) for of in (0, 1)]


def residuals(label: Numbers, prediction: Numbers) -> list[tuple[float, float]]:
    """(quantile, prediction minus label at it), in the unit of the label."""
    import numpy as np

    return list(zip(QUANTILES, np.quantile(prediction - label, QUANTILES).tolist(), strict=True))


def _yes_or_no(label: Numbers, prediction: Numbers) -> bool:
    """Probabilities of a binary label; other scores have no natural threshold."""
    import numpy as np

    return bool(np.isin(label, (0.0, 1.0)).all() and prediction.min() >= 0 and prediction.max() <= 1)


def _sample_head(test: SplitRows, prediction: Numbers) -> tuple[str, ...]:
    said = [f"probability of {one}" for one in test.classes] or ["prediction"]
    if test.task is CLUSTERING:
        said = [f"distance to cluster {place + 1}" for place in range(prediction.shape[1])]
    return "row", "event_time", "label", *said


def _sample(test: SplitRows, prediction: Numbers) -> list[tuple[object, ...]]:
    """Rows are numbered as in the split's file; who they are about is said only there."""
    import numpy as np

    rows = np.unique(np.linspace(0, len(test.label) - 1, SAMPLED).astype(np.int64)).tolist()
    times = test.event_time.take(rows).to_pylist()
    found = prediction[rows].reshape(len(rows), -1).tolist()
    labels = [test.classes[int(one)] if test.classes else float(one) for one in test.label[rows]]
    return [
        (row, moment.isoformat(), label, *of) for row, moment, label, of in zip(rows, times, labels, found, strict=True)
    ]


def _csv(file: Path, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(rows)
    return file
