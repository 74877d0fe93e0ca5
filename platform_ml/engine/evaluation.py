"""From predictions to the plain numbers that gates are judged on."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from platform_ml.engine.ablation import fitted_ablations
from platform_ml.engine.bootstrap import Subject, measure, resampled
from platform_ml.engine.champion import champion_digest, champion_of
from platform_ml.engine.class_scores import class_scores
from platform_ml.engine.curves import curves, group_statistics, residual_statistics
from platform_ml.engine.evidence import Tested, gather, with_dataset
from platform_ml.engine.explanation import explanations
from platform_ml.engine.explanation_rows import Explained
from platform_ml.engine.latency import latency_ms
from platform_ml.engine.training_dataset import split_rows
from platform_ml.engine.tuned_model import SEARCH, fitted
from platform_ml.engine.winner import winner
from platform_ml.spec.errors import MissingInputError
from platform_ml.spec.evaluation import CHAMPION, BaselineScore, EvaluationResult, Importance, Slice, SplitScore
from platform_ml.spec.family import Categorical
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.task import MULTICLASS
from platform_ml.spec.training_dataset import SPLITS, TEST, TRAIN

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.engine.bootstrap import Measured
    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact
    from platform_ml.engine.rows import SplitRows
    from platform_ml.spec.evaluation import Estimate, Evaluation
    from platform_ml.spec.family import Predictor
    from platform_ml.spec.task import Task

    Numbers = NDArray[np.float64]
    Key = tuple[str, ...]
    Measures = Mapping[Key, Mapping[str, Measured]]

KIND, FILE = "evaluations", "evaluation.json"
MISSING = "(missing)"
"""The slice of the rows whose helper is null."""
MODEL: Key = ("model",)
BASELINE, ABLATION = "baseline", "ablation"


def evaluate(
    evaluation: Evaluation,
    *,
    splits: Mapping[str, SplitRows],
    predictor: Predictor,
    baselines: Mapping[str, Predictor],
    model_digest: str,
    dataset_digest: str,
    cutoff: str,
    size_bytes: int,
) -> EvaluationResult:
    """Measure a fitted model and its baselines; the same inputs give the same numbers, but for the latency.

    Args:
        evaluation: what to measure.
        splits: the rows of train, validation and test.
        predictor: the model.
        baselines: its fitted rivals and ablations, by name; the model in use may be among them, as `CHAMPION`.
        model_digest: the model's content hash.
        dataset_digest: the training dataset's; it also seeds the bootstrap.
        cutoff: the partition key.
        size_bytes: of the saved model.
    """
    test, model, task = splits[TEST], evaluation.model, evaluation.model.task
    predictions = {name: _predict(predictor, splits[name]) for name in SPLITS if name in splits}
    names = [*(item.name for item in model.baselines), *({CHAMPION} & baselines.keys())]
    rivals = {name: _predict(baselines[name], test) for name in names}
    subjects = _test_subjects(evaluation, test, predictions[TEST], rivals)
    subjects |= {(ABLATION, one.name): Subject.of(test, _predict(baselines[one.name], test)) for one in model.ablations}
    judged: dict[str, Measures] = {
        name: measure(
            evaluation.metrics,
            subjects if name == TEST else {MODEL: Subject.of(splits[name], prediction)},
            _resamples(evaluation, splits[name], f"{dataset_digest}/{name}", name),
        )
        for name, prediction in predictions.items()
    }
    return EvaluationResult(
        model=model.name,
        cutoff=cutoff,
        model_digest=model_digest,
        dataset_digest=dataset_digest,
        policy_digest=fingerprint(evaluation),
        splits={name: _split_score(splits[name], of[MODEL]) for name, of in judged.items()},
        slices=_slices(evaluation, subjects, judged[TEST]),
        baselines=_rival_scores(evaluation, judged[TEST], BASELINE),
        ablations=_rival_scores(evaluation, judged[TEST], ABLATION),
        **_why(evaluation, splits, predictor, subjects, f"{dataset_digest}/{TEST}"),
        curves=curves(task, test.label, predictions[TEST], rivals, test.group),
        latency_ms=latency_ms(predictor, test.features),
        size_bytes=size_bytes,
        goals={metric.name: metric.goal for metric in evaluation.metrics},
        titles={metric.name: metric.title for metric in evaluation.metrics},
        task=task,
        residuals=residual_statistics(task, test.label, predictions[TEST]),
        classes=class_scores(test.classes, test.label, predictions[TEST]),
        groups=group_statistics(test.label, test.group),
        unseen=predictor.unseen(test.features) if isinstance(predictor, Categorical) else {},
        evidence=gather(evaluation, _tested(splits, subjects, judged[TEST], f"{dataset_digest}/{TEST}")),
    )


def _tested(splits: Mapping[str, SplitRows], subjects: Mapping[Key, Subject], measures: Measures, seed: str) -> Tested:
    slices = {key: subject for key, subject in subjects.items() if key[0] == "slice"}
    return Tested(
        splits=splits,
        whole=subjects[MODEL],
        slices=slices,
        of_whole=measures[MODEL],
        of_slices={key: measures[key] for key in slices},
        seed=seed,
    )


def _predict(predictor: Predictor, rows: SplitRows) -> Numbers:
    import numpy as np

    if not len(rows.label):
        # No family can be trusted with a table of no rows; metrics say themselves that they are not defined there.
        return np.empty((0, len(rows.classes)) if rows.classes else 0)
    return np.asarray(predictor.predict(rows.features), dtype=np.float64)


def _resamples(evaluation: Evaluation, rows: SplitRows, seed: str, split: str) -> Any:
    if split == TRAIN:  # an interval would lend these rows a meaning that they lack, and they are the most expensive
        return ()
    return resampled(rows, resamples=evaluation.resamples, seed=seed)


def _test_subjects(
    evaluation: Evaluation, test: SplitRows, prediction: Numbers, rivals: Mapping[str, Numbers]
) -> dict[Key, Subject]:
    """The model, every baseline and every slice, so that all of them see the same resamples."""
    subjects: dict[Key, Subject] = {MODEL: Subject.of(test, prediction)}
    for name, rival in rivals.items():
        subjects[BASELINE, name] = Subject.of(test, rival)
    for column in evaluation.slices:
        for value, rows in _values(test.helpers.column(column)):
            subjects["slice", column, value] = Subject.of(test, prediction, rows)
    return subjects


def _values(column: pa.ChunkedArray) -> list[tuple[str, NDArray[np.int64]]]:
    """Each value as it is shown, with the rows that have it; the missing ones come last."""
    import numpy as np

    found: dict[str, list[int]] = {}
    for row, value in enumerate(column.to_pylist()):
        shown = str(value).lower() if isinstance(value, bool) else MISSING if value is None else str(value)
        found.setdefault(shown, []).append(row)
    ordered = sorted(found.items(), key=lambda item: (item[0] == MISSING, item[0]))
    return [(shown, np.asarray(rows, dtype=np.int64)) for shown, rows in ordered]


def _split_score(rows: SplitRows, measured: Mapping[str, Measured]) -> SplitScore:
    import pyarrow.compute as pc

    ends = pc.min_max(rows.event_time).as_py()
    first, last = ("" if end is None else end.date().isoformat() for end in (ends["min"], ends["max"]))
    return SplitScore(
        rows=len(rows.label),
        mean=_mean(rows.task, rows.label),
        first=first,
        last=last,
        metrics=_estimates(measured),
    )


def _mean(task: Task, label: Numbers) -> float | None:
    import numpy as np

    if not len(label):
        return None
    return float(np.unique(label, return_counts=True)[1].max() / len(label) if task is MULTICLASS else label.mean())


def _estimates(measured: Mapping[str, Measured]) -> dict[str, Estimate]:
    return {name: one.estimate() for name, one in measured.items()}


def _slices(evaluation: Evaluation, subjects: Mapping[Key, Subject], measures: Measures) -> tuple[Slice, ...]:
    first = evaluation.metrics[0]
    whole = measures[MODEL][first.name]
    return tuple(
        Slice(
            column=key[1],
            value=key[2],
            rows=len(subjects[key].truth),
            mean=_mean(evaluation.model.task, subjects[key].truth),
            metrics=_estimates(measured),
            gap=measured[first.name].better(whole, first.goal).estimate(),
        )
        for key, measured in measures.items()
        if key[0] == "slice"
    )


def _rival_scores(evaluation: Evaluation, measures: Measures, kind: str) -> dict[str, BaselineScore]:
    def lead(rival: Mapping[str, Measured]) -> dict[str, Estimate]:
        model = measures[MODEL]
        return {m.name: model[m.name].better(rival[m.name], m.goal).estimate() for m in evaluation.metrics}

    rivals = {key[1]: measured for key, measured in measures.items() if key[0] == kind}
    return {name: BaselineScore(metrics=_estimates(rival), lead=lead(rival)) for name, rival in rivals.items()}


def _why(
    evaluation: Evaluation,
    splits: Mapping[str, SplitRows],
    predictor: Predictor,
    subjects: Mapping[Key, Subject],
    seed: str,
) -> dict[str, Any]:
    """The explanations, and of them the features by mean |SHAP|, greatest first: Lundberg and Lee (2017)."""
    found = explanations(
        Explained(
            declared=evaluation.explanation,
            predictor=predictor,
            test=splits[TEST],
            train=splits[TRAIN].features,
            prediction=subjects[MODEL].prediction,
            metric=evaluation.metrics[0],
            slices={(key[1], key[2]): one.rows for key, one in subjects.items() if key[0] == "slice"},
            seed=seed,
        )
    )
    meanings = evaluation.model.dataset.view.meanings
    importance = tuple(
        Importance(feature=one.feature, mean_abs_shap=one.mean_size, meaning=meanings[one.feature])
        for one in (found.effects if found else ())
    )
    return {"importance": importance, "explanations": found}


def materialize_evaluation(
    evaluation: Evaluation, cutoff: str, dataset: Artifact, model: Artifact, *, work: Work
) -> tuple[EvaluationResult, Artifact]:
    """Evaluate the published model on the dataset it was made from, and publish the numbers."""
    if model.record["dataset"] != dataset.digest:
        raise MissingInputError(
            f"{work.table(evaluation.model)} of cutoff {cutoff} was trained on another version of its dataset "
            f"({model.record['dataset'][:12]}, now {dataset.digest[:12]}). Materialize the model again first."
        )
    predictor, baselines = fitted(evaluation.model, model)
    rival = champion_digest(evaluation, model, cutoff, work=work)
    if rival and (champion := champion_of(evaluation, rival, model, work=work)):
        baselines = baselines | {CHAMPION: champion}
    result = evaluate(
        evaluation,
        splits={split: split_rows(evaluation.model.dataset, dataset, split) for split in SPLITS},
        predictor=predictor,
        baselines=baselines | fitted_ablations(evaluation.model, model, SEARCH, winner(evaluation.model, model.record)),
        model_digest=model.digest,
        dataset_digest=dataset.digest,
        cutoff=cutoff,
        size_bytes=(model.folder / model.record["model_file"]).stat().st_size,
    )
    if result.evidence:
        evidence = replace(with_dataset(result.evidence, evaluation, dataset), champion=rival)
        result = replace(result, evidence=evidence)
    text = json.dumps(result.to_json(), indent=1, allow_nan=False)  # in the declared order

    def fill(folder: Path) -> None:
        (folder / FILE).write_text(text, encoding="utf-8")

    record = {"evaluation": evaluation.name, "cutoff": cutoff, "fingerprint": fingerprint(evaluation)}
    artifact = work.platform.artifacts.publish(work.place(KIND, evaluation, cutoff), result.digest, record, fill)
    work.say(
        f"{work.table(evaluation)}: {evaluation.metrics[0].title} on test is {result.test(evaluation.metrics[0].name)}"
    )
    return result, artifact


def load(evaluation: Evaluation, cutoff: str, *, work: Work) -> EvaluationResult:
    """The newest numbers of a cutoff."""
    artifact = work.platform.artifacts.newest(work.place(KIND, evaluation, cutoff))
    if artifact is None:
        raise MissingInputError(work.missing(evaluation, [cutoff]))
    return EvaluationResult.from_json(json.loads((artifact.folder / FILE).read_text(encoding="utf-8")))
