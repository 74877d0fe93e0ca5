"""A model without some of its features: fitted with the parameters that the search chose, kept beside it."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from platform_ml.engine import preparation
from platform_ml.engine.chosen import Narrowed
from platform_ml.spec.errors import PlatformError, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from platform_ml.engine.fitting import Fitting
    from platform_ml.engine.ports import Artifact
    from platform_ml.spec.family import Family, Predictor
    from platform_ml.spec.tuned_model import TunedModel

ABLATIONS = "ablations"
"""The key of `search.json` that says which file holds which of them."""


@dataclass(frozen=True, kw_only=True)
class Ablated:
    """What became of one ablation."""

    predictor: Predictor
    """Takes rows with all features."""
    left_out: tuple[str, ...]
    kept: tuple[str, ...]
    score: float
    """The model's metric on the validation rows."""


def check_ablations(fitting: Fitting) -> None:
    """Refuse, before anything is searched, an ablation that leaves none of the features that were chosen."""
    model = fitting.model
    for ablation in model.ablations:
        if not set(fitting.kept) - set(ablation.left_out(model.dataset.view)):
            raise PlatformError(
                f"Model {model.name!r}: ablation {ablation.name!r} leaves out all {len(fitting.kept)} features that "
                f"were chosen ({', '.join(fitting.kept[:3])}, ...). Drop it, or keep more features."
            )


def ablate(
    fitting: Fitting, family: Family, params: Mapping[str, Any], *, progress: Callable[[str], None]
) -> dict[str, Ablated]:
    """Fit again without what each ablation leaves out: same family, parameters, seed, rows and weights."""
    model, found = fitting.model, dict[str, Ablated]()
    for ablation in model.ablations:
        out = ablation.left_out(model.dataset.view)
        less = fitting.without(out)
        predictor, score = less.fit(family, params)
        found[ablation.name] = Ablated(
            predictor=less.deployed(predictor), left_out=tuple(out), kept=less.kept, score=score
        )
        progress(f"{model.name}: {ablation.name}: {model.metric.title} {score:.4f} on validation")
    return found


def save(ablations: Mapping[str, Ablated], folder: Path) -> dict[str, Any]:
    """Write each in its family's native format; name → its file, features and score, as `search.json` has it."""
    plain = {}
    with TemporaryDirectory() as aside:
        for name, one in ablations.items():
            saved = one.predictor.save(Path(aside))
            file = f"ablation_{name}{saved.suffix}"
            shutil.move(saved, folder / file)
            plain[name] = {"file": file, "left_out": one.left_out, "kept": one.kept, "score": one.score}
    return plain


def fitted_ablations(
    model: TunedModel, artifact: Artifact, search_file: str, family: Family | None = None
) -> dict[str, Predictor]:
    """Those of a published model, by name; `family`: the one that became the model, None: its own."""
    if not model.ablations:
        return {}
    plain = json.loads((artifact.folder / search_file).read_text(encoding="utf-8")).get(ABLATIONS, {})
    if missing := [one.name for one in model.ablations if one.name not in plain]:
        raise StoreError(f"{artifact.folder} has no ablation {missing[0]!r}. Materialize {model.name!r} again.")
    found: dict[str, Predictor] = {}
    for ablation in model.ablations:
        one = plain[ablation.name]
        kept = tuple(one["kept"])
        predictor: Predictor = (family or model.family).load(artifact.folder / one["file"], kept)
        predictor = Narrowed(kept=kept, predictor=predictor)
        if model.preparations:
            steps = preparation.Fitted.load(model.preparations, artifact.folder / preparation.FILE)
            predictor = preparation.Prepared(fitted=steps, predictor=predictor)
        found[ablation.name] = predictor
    return found
