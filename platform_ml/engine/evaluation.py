"""From predictions to the plain numbers that gates are judged on."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from platform_ml.engine.ablation import fitted_ablations
from platform_ml.engine.bootstrap import Measured, Subject, measure, resampled
from platform_ml.engine.champion import champion_digest, champion_of
from platform_ml.engine.class_scores import class_scores
from platform_ml.engine.clusters import Clustered, with_clusters
from platform_ml.engine.curves import curves, group_statistics, residual_statistics
from platform_ml.engine.evidence import Tested, gather, with_dataset
from platform_ml.engine.explanation import explanations
from platform_ml.engine.explanation_rows import Explained
from platform_ml.engine.interval_scores import with_intervals
from platform_ml.engine.latency import latency_ms
from platform_ml.engine.slicing import periods_of, slices_of
from platform_ml.engine.stability import stability
from platform_ml.engine.training_dataset import split_rows
from platform_ml.engine.tuned_model import SEARCH, fitted, intervals_in
from platform_ml.engine.weak_slices import weak_rules
from platform_ml.engine.winner import winner
from platform_ml.spec.errors import MissingInputError, StoreError
from platform_ml.spec.evaluation import (
    CHAMPION,
    BaselineScore,
    EvaluationResult,
    Importance,
    Meaning,
    Slice,
    SplitScore,
)
from platform_ml.spec.family import Categorical
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.slicing import FOUND
from platform_ml.spec.task import CLUSTERING, MULTICLASS
from platform_ml.spec.training_dataset import SPLITS, TEST, TRAIN, VALIDATION

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.engine.platform import Work
    from platform_ml.engine.ports import Artifact
    from platform_ml.engine.rows import SplitRows
    from platform_ml.spec.evaluation import Estimate, Evaluation
    from platform_ml.spec.evidence import Evidence
    from platform_ml.spec.family import Predictor
    from platform_ml.spec.task import Task

    Numbers = NDArray[np.float64]
    Key = tuple[str, ...]
    Measures = Mapping[Key, Mapping[str, Measured]]

KIND, FILE = "evaluations", "evaluation.json"
MODEL: Key = ("model",)
BASELINE, ABLATION, SLICE, PERIOD, WEAK = "baseline", "ablation", "slice", "period", FOUND


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
    test, model, seed = splits[TEST], evaluation.model, f"{dataset_digest}/{TEST}"
    predictions = {name: _predict(predictor, splits[name]) for name in SPLITS if name in splits}
    names = [*(item.name for item in model.baselines), *({CHAMPION} & baselines.keys())]
    rivals = {name: _predict(baselines[name], test) for name in names}
    ablated = {one.name: _predict(baselines[one.name], test) for one in model.ablations}
    subjects = _subjects(evaluation, splits, predictions, {BASELINE: rivals, ABLATION: ablated})
    judged = _judged(evaluation, splits, predictions, subjects, dataset_digest)
    result = EvaluationResult(
        model=model.name,
        cutoff=cutoff,
        model_digest=model_digest,
        dataset_digest=dataset_digest,
        policy_digest=fingerprint(evaluation),
        splits={name: _split_score(splits[name], of[MODEL]) for name, of in judged.items()},
        slices=_slices(evaluation, subjects, judged[TEST], SLICE),
        periods=_slices(evaluation, subjects, judged[TEST], PERIOD),
        weak_slices=_slices(evaluation, subjects, judged[TEST], WEAK),
        baselines=_rival_scores(evaluation, judged[TEST], BASELINE),
        ablations=_rival_scores(evaluation, judged[TEST], ABLATION),
        **_why(evaluation, splits, predictor, subjects, seed),
        curves=curves(model.task, test.label, predictions[TEST], rivals, test.group),
        latency_ms=latency_ms(predictor, test.features),
        size_bytes=size_bytes,
        residuals=residual_statistics(model.task, test.label, predictions[TEST]),
        classes=class_scores(test.classes, test.label, predictions[TEST], _resamples(evaluation, test, seed, TEST)),
        groups=group_statistics(test.label, test.group),
        unseen=predictor.unseen(test.features) if isinstance(predictor, Categorical) else {},
        evidence=_evidence(evaluation, splits, subjects, judged[TEST], seed),
    )
    return _told(result, evaluation)


def _told(result: EvaluationResult, evaluation: Evaluation) -> EvaluationResult:
    """With what the numbers are."""
    return replace(
        result,
        goals={metric.name: metric.goal for metric in evaluation.metrics},
        titles={metric.name: metric.title for metric in evaluation.metrics},
        meanings={m.name: Meaning(unit=m.unit, definition=m.definition) for m in evaluation.metrics},
        min_rows=evaluation.min_rows,
        task=evaluation.model.task,
    )


def _subjects(
    evaluation: Evaluation,
    splits: Mapping[str, SplitRows],
    predictions: Mapping[str, Numbers],
    others: Mapping[str, Mapping[str, Numbers]],
) -> dict[Key, Subject]:
    """The model, its rivals and every part of the test rows, so that all of them see the same resamples."""
    test, own = splits[TEST], predictions[TEST]
    subjects: dict[Key, Subject] = {MODEL: Subject.of(test, own)}
    for kind, named in others.items():
        subjects |= {(kind, name): Subject.of(test, prediction) for name, prediction in named.items()}
    return subjects | {key: Subject.of(test, own, rows) for key, rows in _parts(evaluation, splits, predictions)}


def _judged(
    evaluation: Evaluation,
    splits: Mapping[str, SplitRows],
    predictions: Mapping[str, Numbers],
    subjects: Mapping[Key, Subject],
    dataset_digest: str,
) -> dict[str, Measures]:
    """Of test rows every subject, of the other splits the model."""
    return {
        name: _measure(
            evaluation,
            subjects if name == TEST else {MODEL: Subject.of(splits[name], prediction)},
            _resamples(evaluation, splits[name], f"{dataset_digest}/{name}", name),
        )
        for name, prediction in predictions.items()
    }


def _parts(
    evaluation: Evaluation, splits: Mapping[str, SplitRows], predictions: Mapping[str, Numbers]
) -> Iterator[tuple[Key, NDArray[np.int64]]]:
    """Every slice, period and weak slice with its test rows."""
    test, period, weak = splits[TEST], evaluation.periods, evaluation.weak_slices
    yield from (((SLICE, *key), rows) for key, rows in slices_of(test, evaluation.slices).items())
    if period:
        yield from (((PERIOD, period, name), rows) for name, (_, rows) in periods_of(test, period).items())
    if weak and VALIDATION in predictions:
        rules = weak_rules(weak, splits[VALIDATION], predictions[VALIDATION])
        yield from (((WEAK, FOUND, str(rule)), rule.rows(test)) for rule in rules)


def _measure(evaluation: Evaluation, subjects: Mapping[Key, Subject], blocks: Iterable[Numbers]) -> Measures:
    """Every metric of every subject; of parts with too few rows nothing is defined."""
    import numpy as np

    least = evaluation.min_rows
    enough = {key: one for key, one in subjects.items() if one.rows is None or len(one.rows) >= least}
    found = measure(evaluation.metrics, enough, blocks)
    unknown = {
        name: Measured(value=math.nan, drawn=np.full_like(of.drawn, np.nan)) for name, of in found[MODEL].items()
    }
    return {key: found.get(key, unknown) for key in subjects}


def _evidence(
    evaluation: Evaluation,
    splits: Mapping[str, SplitRows],
    subjects: Mapping[Key, Subject],
    measures: Measures,
    seed: str,
) -> Evidence:
    """What only gates read."""
    slices = {key: subject for key, subject in subjects.items() if key[0] == SLICE}
    tested = Tested(
        splits=splits,
        whole=subjects[MODEL],
        slices=slices,
        of_whole=measures[MODEL],
        of_slices={key: measures[key] for key in slices},
        seed=seed,
    )
    found, period = gather(evaluation, tested), evaluation.periods
    if period is None:
        return found
    keys = [((PERIOD, period, name), day) for name, (day, _) in periods_of(splits[TEST], period).items()]
    moves = stability(evaluation.metrics, [(day, len(subjects[key].truth), measures[key]) for key, day in keys])
    return replace(found, stability=moves)


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

    if not len(label) or task is CLUSTERING:
        return None
    return float(np.unique(label, return_counts=True)[1].max() / len(label) if task is MULTICLASS else label.mean())


def _estimates(measured: Mapping[str, Measured]) -> dict[str, Estimate]:
    return {name: one.estimate() for name, one in measured.items()}


def _slices(
    evaluation: Evaluation, subjects: Mapping[Key, Subject], measures: Measures, kind: str
) -> tuple[Slice, ...]:
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
        if key[0] == kind
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
    if evaluation.model.task is CLUSTERING:  # distances to several centres: what is typical of each says more
        return {"importance": ()}
    found = explanations(
        Explained(
            declared=evaluation.explanation,
            predictor=predictor,
            test=splits[TEST],
            train=splits[TRAIN].features,
            prediction=subjects[MODEL].prediction,
            metric=evaluation.metrics[0],
            slices={(key[1], key[2]): one.rows for key, one in subjects.items() if key[0] == SLICE},
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
    splits = {split: split_rows(evaluation.model.dataset, dataset, split) for split in SPLITS}
    result = evaluate(
        evaluation,
        splits=splits,
        predictor=predictor,
        baselines=baselines | fitted_ablations(evaluation.model, model, SEARCH, winner(evaluation.model, model.record)),
        model_digest=model.digest,
        dataset_digest=dataset.digest,
        cutoff=cutoff,
        size_bytes=(model.folder / model.record["model_file"]).stat().st_size,
    )
    if evaluation.model.task is CLUSTERING:
        family, params = winner(evaluation.model, model.record), model.record["params"]
        made = Clustered(model=evaluation.model, family=family, params=params, predictor=predictor)
        result = with_clusters(result, made, splits)
    if (ranges := intervals_in(model.folder, evaluation.model)) is not None:
        result = with_intervals(result, evaluation, ranges, splits[TEST], _predict(predictor, splits[TEST]))
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
    """The newest numbers of a cutoff.

    Raises:
        MissingInputError: there are none.
        StoreError: the file was changed, be it together with its checksum: then it has another digest than its name.
    """
    artifact = work.platform.artifacts.newest(work.place(KIND, evaluation, cutoff))
    if artifact is None:
        raise MissingInputError(work.missing(evaluation, [cutoff]))
    result = EvaluationResult.from_json(json.loads((artifact.folder / FILE).read_text(encoding="utf-8")))
    if result.digest != artifact.digest:
        raise StoreError(
            f"{artifact.folder / FILE} was changed: its numbers are {result.digest[:12]}, published were "
            f"{artifact.digest[:12]}. Delete the folder and materialize {work.table(evaluation)} again."
        )
    return result
