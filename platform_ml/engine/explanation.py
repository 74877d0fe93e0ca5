"""Why a model predicts what it does on its test rows, in plain numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.engine.explanation_effects import partial, strongest
from platform_ml.engine.explanation_errors import worst_errors
from platform_ml.engine.explanation_rows import as_predicted, known, short, thinned
from platform_ml.engine.explanation_shuffled import shuffled
from platform_ml.explainers import IntegratedGradients, LinearShap, PermutationShap, TreeShap
from platform_ml.spec.explanation import Dependence, Effect, Explanations, SliceEffects

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from platform_ml.engine.explanation_rows import Explained
    from platform_ml.spec.attribution import Attribution
    from platform_ml.spec.evaluation import Estimate
    from platform_ml.spec.explanation import Explainer
    from platform_ml.spec.family import Predictor

    Numbers = NDArray[np.float64]
    Places = NDArray[np.int64]

AUTOMATIC: tuple[Explainer, ...] = (TreeShap(), LinearShap(), IntegratedGradients(), PermutationShap())
"""The first one that suits the model explains it."""
LEAST_ROWS = 30
"""Of fewer explained rows of a slice nothing is said."""
MOST_POINTS = 150
"""Rows of a dependence plot."""
APART = 3
"""Features that a slice is shown with because they move it otherwise than the rest."""


def chosen(method: Explainer | None, predictor: Predictor) -> Explainer:
    """The declared method, or the one that fits the family best."""
    return method or next(one for one in AUTOMATIC if one.suits(predictor))


def explanations(about: Explained) -> Explanations | None:
    """Explain a model; None where there are no test rows."""
    import numpy as np

    test, declared = about.test, about.declared
    if not len(test.label):
        return None
    method, background, sample = chosen(declared.method, about.predictor), about.background, about.sample
    most = method.most_rows(test.features.num_columns, background.num_rows)
    taken = sample if most is None else thinned(sample, most)

    def explain(rows: pa.Table) -> Attribution:
        return method.explain(about.predictor, rows, background, task=test.task, seed=about.drawn("background rows"))

    found = explain(test.features.take(taken))
    focus = about.output
    effects = _effects(test.features.column_names, found, focus, shuffled(about, sample))
    top = [effect.feature for effect in effects[: declared.features] if effect.mean_size]
    pairs, measured_by = strongest(about, sample, top, found.unit)
    told = as_predicted(found.outputs, found.unit) - about.prediction[taken].reshape(len(taken), -1)
    return Explanations(
        method=method.name,
        rule=method.rule,
        unit=found.unit,
        output=test.classes[focus] if test.classes else "",
        rows=len(taken),
        of=len(test.label),
        background=background.num_rows,
        gap=short(float(np.abs(told).max())),
        leftover=short(found.leftover),
        effects=effects,
        metric=about.metric.title,
        shuffled=declared.repeats,
        slices=_slices(about, found, focus, taken, effects),
        interactions=pairs,
        interactions_by=measured_by,
        dependence=tuple(_dependence(about, found, focus, taken, name) for name in top),
        partial=tuple(one for name in top if (one := partial(about, sample, name, focus))),
        worst=worst_errors(about, explain),
    )


def _effects(names: Sequence[str], found: Attribution, focus: int, lost: Mapping[str, Estimate]) -> tuple[Effect, ...]:
    """Of all explained rows, the feature that moves them most first."""
    sizes, signed = found.sizes.mean(axis=0).tolist(), found.values[:, :, focus].mean(axis=0).tolist()
    effects = [
        Effect(
            feature=name,
            mean_size=short(size),
            mean=short(mean),
            loss=_short(lost[name].value),
            low=_short(lost[name].low),
            high=_short(lost[name].high),
        )
        for name, size, mean in zip(names, sizes, signed, strict=True)
    ]
    return tuple(sorted(effects, key=lambda effect: (-effect.mean_size, effect.feature)))


def _slices(
    about: Explained, found: Attribution, focus: int, taken: Places, effects: Sequence[Effect]
) -> tuple[SliceEffects, ...]:
    """The features that move predictions most, and those whose mean is furthest from that of all rows."""
    import numpy as np

    names = about.test.features.column_names
    sizes, signed = found.sizes, found.values[:, :, focus]
    whole = signed.mean(axis=0)
    top = [effect.feature for effect in effects[: about.declared.features]]

    def of(rows: NDArray[np.bool_]) -> tuple[Effect, ...]:
        size, mean = sizes[rows].mean(axis=0), signed[rows].mean(axis=0)
        apart = [names[place] for place in np.argsort(-np.abs(mean - whole), kind="stable")[:APART]]
        return tuple(
            Effect(feature=name, mean_size=short(float(size[at])), mean=short(float(mean[at])))
            for name in dict.fromkeys([*top, *apart])
            for at in [names.index(name)]
        )

    told = []
    for (column, value), places in about.slices.items():
        rows = np.full(len(taken), fill_value=True) if places is None else np.isin(taken, places)
        count = int(rows.sum())
        enough = of(rows) if count >= LEAST_ROWS else ()
        told.append(SliceEffects(column=column, value=value, rows=count, effects=enough))
    return tuple(told)


def _dependence(about: Explained, found: Attribution, focus: int, taken: Places, feature: str) -> Dependence:
    import numpy as np

    some = thinned(np.arange(len(taken)), MOST_POINTS)
    values = known(about.test.features[feature].take(taken[some]))
    moved = found.values[some, about.test.features.column_names.index(feature), focus].tolist()
    points = [(value, short(by)) for value, by in zip(values, moved, strict=True)]
    return Dependence(
        feature=feature, points=tuple(sorted(points, key=lambda point: (point[0] is None, str(type(point[0])), point)))
    )


def _short(number: float | None) -> float | None:
    return None if number is None else short(number)
