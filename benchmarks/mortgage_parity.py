"""How even and how good the models of the mortgage project are on many random splits, and what was tried besides.

    python benchmarks/mortgage_parity.py --splits 20

Every split is drawn with another seed; the model's own seed stays. Each line is a way to train, judged by the project's
own gate on about 1,000 test rows: on how many splits all groups were within its limit (`within`), one was beyond it by
no more than chance explains, which passes (`unclear`), and the gate failed (`failed`). `leaks` puts back what lenders
wrote down while they judged. The ratio is of the rates at which black applicants and all others are selected, the lower
over the higher. `--threshold` selects from another prediction on than the project does: the verdicts depend on it.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any

from platform_ml.engine import labels
from platform_ml.engine.evaluation import evaluate
from platform_ml.engine.feature_view import materialize_feature_view
from platform_ml.engine.landing import deliver
from platform_ml.engine.ports import Stamp
from platform_ml.engine.source import materialize_source
from platform_ml.engine.training_dataset import materialize_training_dataset, split_rows
from platform_ml.engine.tuned_model import train
from platform_ml.families import XGBoost
from platform_ml.gates import DemographicParity
from platform_ml.orchestration.resources import PlatformResource
from platform_ml.preparations import Erase
from platform_ml.projects.mortgage.as_learned import (
    FOUR_FIFTHS,
    THRESHOLD,
    fast_lane_as_learned_evaluation,
    fast_lane_as_learned_model,
)
from platform_ml.projects.mortgage.decisions import FEATURES, NEIGHBOURHOOD, applications_dataset
from platform_ml.spec.training_dataset import SPLITS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from platform_ml.engine.platform import Work
    from platform_ml.spec.evaluation import EvaluationResult
    from platform_ml.spec.gate import Verdict
    from platform_ml.spec.training_dataset import TrainingDataset
    from platform_ml.spec.tuned_model import TunedModel

CUTOFF = "1990-01-01"
LEAKS = ("gdlin", "unver", "review", "typur", "inson")
GROUPS = ("black", "hispanic", "other")
GATE = DemographicParity(column="race", ratio=FOUR_FIFTHS)
TREES = XGBoost(
    max_depth=3, learning_rate=0.1, max_rounds=200, early_stopping_rounds=20, subsample=0.8, min_child_weight=5
)
Z = 1.959964


def told(leaks: Sequence[str] = ()) -> TrainingDataset:
    """The project's dataset; what lenders wrote down is let in by taking away when it was known."""
    if not leaks:
        return applications_dataset
    view = applications_dataset.view
    source = view.label.source
    columns = tuple(replace(one, known_at=None) if one.name in leaks else one for one in source.columns)
    label = replace(view.label, source=replace(source, columns=columns), attributes=(*FEATURES, *leaks))
    return replace(applications_dataset, view=replace(view, label=label))


def models() -> Iterator[tuple[str, TunedModel]]:
    """What is compared."""
    bare = replace(fast_lane_as_learned_model, ablations=())
    steps = bare.preparations
    kept = tuple(name for name in FEATURES if name not in NEIGHBOURHOOD)
    trees = replace(bare, family=TREES)
    yield "as learned", bare
    yield "without neighbourhood", without(bare, kept)
    yield "evened", replace(bare, preparations=(*steps, Erase(of=FEATURES, group="race")))
    yield "evened, without neighbourhood", without(bare, kept, Erase(of=kept, group="race"))
    yield "trees", trees
    yield "trees, evened", replace(trees, preparations=(*steps, Erase(of=FEATURES, group="race")))
    yield "as learned, leaks", replace(bare, dataset=told(LEAKS))


def without(model: TunedModel, kept: Sequence[str], *more: Any) -> TunedModel:
    """The model of a view with these features alone."""
    view = model.dataset.view
    label = replace(view.label, attributes=tuple(kept))
    steps = tuple(replace(step, of=tuple(name for name in step.of if name in kept)) for step in model.preparations)
    dataset = replace(model.dataset, view=replace(view, label=label))
    return replace(model, dataset=dataset, preparations=(*steps, *more))


def prepared(dataset: TrainingDataset, folder: str) -> Work:
    """Source, label and view of a dataset, in a folder of its own."""
    work = PlatformResource(data=folder, landing="").work("mortgage", lambda _: None)
    view = dataset.view
    for token, noun in enumerate((view.label.source, view.label, view)):
        stamp = Stamp(run_id="bench", asset="bench", fingerprint="f" * 64, code_version="0", token=token)
        if noun is view.label.source:
            deliver(noun, work=work)
            materialize_source(noun, [CUTOFF], work=work, stamp=stamp)
        elif noun is view:
            materialize_feature_view(view, [CUTOFF], work=work, stamp=stamp)
        else:
            labels.materialize(view.label, [CUTOFF], work=work, stamp=stamp)
    return work


def measured(
    model: TunedModel, seeds: Sequence[int], threshold: float
) -> Iterator[tuple[EvaluationResult, Counter[tuple[str, bool]]]]:
    """The evaluation of each split, and how many of each group were approved and refused among all rows."""
    with tempfile.TemporaryDirectory() as folder:
        work = prepared(model.dataset, folder)
        for seed in seeds:
            dataset = replace(model.dataset, splitter=replace(model.dataset.splitter, seed=seed))
            built = materialize_training_dataset(dataset, CUTOFF, work=work, made_by={}).artifact
            if built is None:
                raise SystemExit("The leak audit keeps the dataset back.")
            here = replace(model, dataset=dataset)
            splits = {name: split_rows(dataset, built, name) for name in SPLITS}
            trained = train(here, splits, progress=lambda _: None)
            declared = replace(
                fast_lane_as_learned_evaluation, model=here, slices=("race",), resamples=200, threshold=threshold
            )
            result = evaluate(
                evaluation=declared,
                splits=splits,
                predictor=trained.predictor,
                baselines=trained.baselines,
                model_digest="",
                dataset_digest=built.digest,
                cutoff=CUTOFF,
                size_bytes=0,
            )
            pairs = [(rows.helpers["race"].to_pylist(), rows.label.tolist()) for rows in splits.values()]
            yield (
                result,
                Counter((race, label > 0) for races, truth in pairs for race, label in zip(races, truth, strict=True)),
            )


def line(name: str, results: Sequence[EvaluationResult]) -> str:
    """One way to train as a row of the table."""
    auc = [float(one.test("roc_auc").value or 0) for one in results]
    rates = {group: [rate(one, group) for one in results] for group in GROUPS}
    ratios = [min(own, rest) / max(own, rest) for own, rest in rates["black"]]
    verdicts = Counter(judged(GATE.judge(one)) for one in results)
    counted = " / ".join(str(verdicts[outcome]) for outcome in ("within", "unclear", "failed"))
    shares = " | ".join(f"{fmean(own for own, _ in rates[group]):.2f}" for group in GROUPS)
    return f"| {name} | {spread(auc)} | {shares} | {spread(ratios)} | {counted} |"


def judged(verdict: Verdict) -> str:
    """A gate also passes where a group is beyond the limit by no more than chance explains: that is told apart here."""
    if not verdict.passed:
        return str(verdict.outcome)
    return "within" if all(part.passed for part in verdict.parts) else "unclear"


def rate(result: EvaluationResult, group: str) -> tuple[float, float]:
    """The share of a group that is selected, and that of all others."""
    found = result.evidence.of("selection_rate", "rest", "race") if result.evidence else []
    (one,) = [each for each in found if each.value_of == group]
    return float(one.value or 0), float(one.reference or 0)


def spread(numbers: Sequence[float]) -> str:
    """Mean and standard deviation over splits."""
    return f"{fmean(numbers):.3f} ± {stdev(numbers) if len(numbers) > 1 else 0:.3f}"


def decided(counts: Counter[tuple[str, bool]]) -> Iterator[str]:
    """What the lenders did, with 95 % intervals by Wilson (1927)."""
    for group in GROUPS:
        yes, count = counts[group, True], counts[group, True] + counts[group, False]
        share, room = yes / count, Z**2 / count
        middle = (share + room / 2) / (1 + room)
        half = Z / (1 + room) * (share * (1 - share) / count + room / (4 * count)) ** 0.5
        yield f"| {group} | {count:,} | {share:.3f} [{middle - half:.3f}, {middle + half:.3f}] |"


def main() -> None:
    """Train and judge all of them."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("--splits", type=int, default=20)
    ask.add_argument("--threshold", type=float, default=THRESHOLD, help="from which prediction on a row is selected")
    ask.add_argument("--only", nargs="*", default=[])
    asked = ask.parse_args()
    rows, counts = [], Counter[tuple[str, bool]]()
    for name, model in models():
        if asked.only and name not in asked.only:
            continue
        found = list(measured(model, range(asked.splits), asked.threshold))
        counts = found[0][1]
        rows.append(line(name, [result for result, _ in found]))
        print(rows[-1], file=sys.stderr, flush=True)
    print("| applicants | rows | approved by the lenders |\n| --- | --: | --: |", *decided(counts), sep="\n")
    print(f"\nSelected from {asked.threshold:g} on; mean ± standard deviation over {asked.splits} splits.\n")
    print("| model | ROC AUC | black | hispanic | other | black over others | within / unclear / failed |")
    print("| --- | --: | --: | --: | --: | --: | --: |", *rows, sep="\n")


if __name__ == "__main__":
    main()
