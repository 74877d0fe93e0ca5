"""Permutation importance: how much worse a model is once one feature says nothing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from platform_ml.engine.bootstrap import Measured, Subject, measure, resampled
from platform_ml.explainers.mixing import tied

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from platform_ml.engine.explanation_rows import Explained
    from platform_ml.spec.evaluation import Estimate

RESAMPLES = 200
"""Of all shuffles together."""


def shuffled(about: Explained, sample: NDArray[np.int64]) -> dict[str, Estimate]:
    """Feature → loss of the first metric on these rows when its values are shuffled among them (Breiman 2001).

    The value is the mean of some shuffles. Its interval is that of one of them, from drawing the entities again, paired
    as both are on the same rows: rather too wide than too narrow. Lists of the same events are shuffled together.
    """
    import numpy as np

    test = about.test.taken(sample)
    names, metric, repeats = test.features.column_names, about.metric, about.declared.repeats
    draw = np.random.default_rng(about.drawn("shuffled"))
    found: dict[str, list[Measured]] = {name: [] for name in names}
    for time in range(repeats):
        subjects = {"": Subject.of(test, about.prediction[sample])}
        for columns in tied(test.features):
            places = np.repeat(sample[:, None], len(names), axis=1)
            places[:, columns] = draw.permutation(sample)[:, None]
            said = about.predicted(places)
            subject = Subject.of(test, said if test.classes else said[:, 0])
            subjects |= {names[at]: subject for at in columns}
        blocks = resampled(test, resamples=math.ceil(RESAMPLES / repeats), seed=f"{about.seed}/shuffled {time}")
        measured = {name: one[metric.name] for name, one in measure([metric], subjects, blocks).items()}
        for name in names:
            found[name].append(measured[""].better(measured[name], metric.goal))
    return {
        name: Measured(
            value=float(np.mean([one.value for one in losses])), drawn=np.concatenate([one.drawn for one in losses])
        ).estimate()
        for name, losses in found.items()
    }
