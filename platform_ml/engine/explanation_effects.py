"""What a model predicts where features have other values: partial dependence, and interactions of two features."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING

from platform_ml.engine.explanation_rows import in_unit, known, short, thinned
from platform_ml.explainers.mixing import tied
from platform_ml.families.lists import is_list
from platform_ml.spec.attribution import interactions
from platform_ml.spec.explanation import Interaction, Partial

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.engine.explanation_rows import Explained
    from platform_ml.spec.explanation import Known

    Numbers = NDArray[np.float64]
    Places = NDArray[np.int64]

GRID = 12
"""Values at which a feature's partial dependence is known."""
MOST_PAIRS = 10
NOISE = 1e-10
"""A share of the variance that is due to predictions in 32 bits."""
CELLS, MOST_ROWS = 20_000, 200
"""Of SHAP interaction values: rows times features squared, and rows; trees take milliseconds for each row."""
SHAP_PAIRS = (
    "Mean size of the SHAP interaction values of {rows} rows: what a pair moves beyond what each feature moves alone."
)
H_PAIRS = (
    "Friedman's H statistic (Friedman and Popescu 2008) of the {features} features that move predictions most, on "
    "{rows} test rows: what a pair moves beyond the sum of what each feature moves alone."
)


def partial(about: Explained, sample: Places, feature: str, focus: int) -> Partial | None:
    """The mean prediction at some of the feature's own values, with the rows behind each; None for lists."""
    import numpy as np

    features = about.test.features
    if is_list(features.schema.field(feature).type):
        return None
    values = known(features[feature].take(sample))
    grid, nearest = _grid(values)
    rows, at = thinned(sample, about.declared.background), features.column_names.index(feature)
    places = np.tile(np.repeat(rows[:, None], features.num_columns, axis=1), (len(grid), 1))
    places[:, at] = np.repeat(sample[grid], len(rows))
    means = about.predicted(places)[:, focus].reshape(len(grid), len(rows)).mean(axis=1)
    shares = np.bincount(nearest[nearest >= 0], minlength=len(grid)) / len(values)
    return Partial(
        feature=feature,
        points=tuple(
            (values[place], short(mean), short(share))
            for place, mean, share in zip(grid, means.tolist(), shares.tolist(), strict=True)
        ),
    )


def _grid(values: Sequence[Known]) -> tuple[list[int], Places]:
    """Which of the values are looked at, in order, missing last; and to which of them each value is nearest."""
    import numpy as np

    missing = [place for place, value in enumerate(values) if value is None]
    numbers = np.asarray([value if isinstance(value, float) else np.nan for value in values])
    nearest = np.full(len(values), -1)
    if np.isfinite(numbers).any():
        known_at = np.flatnonzero(np.isfinite(numbers))
        found = np.unique(numbers[known_at])
        if len(found) > GRID:  # evenly, so that what lies between few rows is seen, and its small share too
            low, high = np.quantile(numbers[known_at], (0.01, 0.99)).tolist()
            targets = np.linspace(low, high, GRID)
            found = np.unique([found[np.abs(found - target).argmin()] for target in targets])
        grid = [int(known_at[np.flatnonzero(numbers[known_at] == one)[0]]) for one in found]
        nearest[known_at] = np.abs(numbers[known_at][:, None] - found).argmin(axis=1)
    else:
        counted = sorted(Counter(filter(None, values)).items(), key=lambda item: (-item[1], str(item[0])))[:GRID]
        texts = sorted(str(text) for text, _ in counted)
        grid = [values.index(text) for text in texts]
        for place, value in enumerate(values):
            nearest[place] = texts.index(str(value)) if value in texts else -1
    if missing:
        nearest[missing] = len(grid)
        grid = [*grid, missing[0]]
    return grid, nearest


def strongest(about: Explained, sample: Places, top: Sequence[str], unit: str) -> tuple[tuple[Interaction, ...], str]:
    """The pairs that interact most, and how that was measured."""
    names = about.test.features.column_names
    if len(names) < 2:  # noqa: PLR2004 - a pair
        return (), "There is one feature, so there is nothing to interact with."
    rows = thinned(sample, min(MOST_ROWS, max(16, CELLS // len(names) ** 2)))
    found = interactions(about.predictor, about.test.features.take(rows))
    if found is not None:
        strength = 2 * abs(found).mean(axis=0)
        pairs = [
            Interaction(first=names[one], second=names[other], strength=short(float(strength[one, other])))
            for one, other in combinations(range(len(names)), 2)
        ]
        said = SHAP_PAIRS.format(rows=len(rows))
    else:
        rows = thinned(sample, about.declared.background)
        pairs = _h(about, rows, top, unit)
        said = H_PAIRS.format(features=len(top), rows=len(rows))
    return tuple(sorted(pairs, key=lambda pair: (-pair.strength, pair.first, pair.second))[:MOST_PAIRS]), said


def _h(about: Explained, rows: Places, top: Sequence[str], unit: str) -> list[Interaction]:
    import numpy as np

    names = about.test.features.column_names
    owner = {names[place]: columns for columns in tied(about.test.features) for place in columns}

    def moved(*features: str) -> Numbers:
        """(n, outputs) partial dependence at each row's own values, less its mean."""
        places = np.repeat(np.tile(rows, len(rows))[:, None], len(names), axis=1)
        for feature in features:
            places[:, owner[feature]] = np.repeat(rows, len(rows))[:, None]
        found = in_unit(about.predicted(places), unit)
        means = found.reshape(len(rows), len(rows), -1).mean(axis=1)
        return np.asarray(means - means.mean(axis=0))

    alone = {feature: moved(feature) for feature in top}
    pairs = []
    for first, second in combinations(top, 2):
        if owner[first] == owner[second]:
            continue
        both = moved(first, second)
        rest = both - alone[first] - alone[second]
        part, whole = float((rest**2).sum()), float((both**2).sum())
        found = part > NOISE * whole
        strength = float(np.sqrt((rest**2).mean(axis=0)).mean()) if found else 0.0
        share = min(1.0, part / whole) if found else 0.0
        pairs.append(Interaction(first=first, second=second, strength=short(strength), share=short(share)))
    return pairs
