"""What a language model thinks of features, from what is declared of them."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.selections.answers import Answer, Refusal, messages, read
from platform_ml.selections.columns import named
from platform_ml.selections.endpoint import Endpoint, Unanswered
from platform_ml.spec.errors import DeclarationError, PlatformError
from platform_ml.spec.selection import Ranked, Ranking

if TYPE_CHECKING:
    from collections.abc import Mapping

    from platform_ml.spec.family import Rows
    from platform_ml.spec.selection import Asked, SelectionMethod

URL, MODEL, KEY = "PLATFORM_ML_LLM_URL", "PLATFORM_ML_LLM_MODEL", "PLATFORM_ML_LLM_KEY"
"""The environment says where to ask (any endpoint with OpenAI's chat completions), which model, and with which key."""
CHANCES = 2
"""Answers that may be read before the other method is taken: the first, and one corrected."""


@dataclass(frozen=True, kw_only=True)
class LanguageModel:
    """Ranks features by their descriptions: what they mean, their unit and look-back, and what is predicted.

    No value of any row is sent. An answer with an invented or a repeated feature, or that is no such list, is refused,
    sent back once with what is wrong, and then given up. Then, without an endpoint, or when it does not answer, the
    features are ranked by `otherwise`, and the ranking says so; without `otherwise` that is an error.
    """

    name: ClassVar[str] = "language_model"

    otherwise: SelectionMethod | None
    timeout_seconds: float = 60.0
    """For one answer, from the request to its last byte."""
    attempts: int = 3
    """To reach an endpoint that is busy or broken."""

    def __post_init__(self) -> None:
        if not 0 < self.timeout_seconds < float("inf") or self.attempts < 1:
            raise DeclarationError("LanguageModel: timeout_seconds has to be above 0, and attempts 1 or more.")

    @property
    def decides(self) -> bool:
        """Whether whichever of the two ranks leaves out features by itself."""
        return self.otherwise is None or self.otherwise.decides

    @property
    def rule(self) -> str:
        """As a sentence."""
        other = f"; where it gives no valid answer: {self.otherwise.rule}" if self.otherwise else "."
        return f"Ranked by a language model that reads what is declared of the features, and no row{other}"

    def rank(self, train: Rows, asked: Asked, *, seed: int) -> Ranking:
        """Ask, check the answer against the catalog, and go on without it where there is none."""
        url, model = os.environ.get(URL, ""), os.environ.get(MODEL, "")
        if not url or not model:
            missing = " and ".join(name for name, value in ((URL, url), (MODEL, model)) if not value)
            return self._instead(f"No language model is configured: {missing} is not set.", (), train, asked, seed)
        endpoint = Endpoint(
            url=url,
            model=model,
            key=os.environ.get(KEY, ""),
            timeout_seconds=self.timeout_seconds,
            attempts=self.attempts,
        )
        answer, exchanges, why = _ask(endpoint, asked)
        if answer is None:
            return self._instead(f"The language model gave no valid answer: {why}", exchanges, train, asked, seed)
        note = (
            f"Ranked by the language model {model!r} from what is declared; it saw no row. Prompt and answer are kept."
        )
        return Ranking(features=_ranked(answer, asked), method=self.name, notes=(note,), asked=exchanges)

    def _instead(
        self, why: str, exchanges: tuple[Mapping[str, Any], ...], train: Rows, asked: Asked, seed: int
    ) -> Ranking:
        if self.otherwise is None:
            raise PlatformError(f"{why} Set {URL}, {MODEL} and {KEY}, or declare otherwise= with another method.")
        found = self.otherwise.rank(train, asked, seed=seed)
        note = f"{why} So the features were ranked by {self.otherwise.name} instead."
        return replace(named(found, note), asked=(*exchanges, *found.asked))


def _ask(endpoint: Endpoint, asked: Asked) -> tuple[Answer | None, tuple[Mapping[str, Any], ...], str]:
    """A valid answer or None, everything that was said, and why there is none."""
    said, why = messages(asked), ""
    exchanges: list[Mapping[str, Any]] = []
    for _ in range(CHANCES):
        try:
            text = endpoint.ask(said)
        except Unanswered as silence:
            exchanges.append(_exchange(endpoint, said, None, str(silence)))
            return None, tuple(exchanges), str(silence)
        try:
            answer = read(text, asked)
        except Refusal as refused:
            why = str(refused)
            exchanges.append(_exchange(endpoint, said, text, f"refused: {why}"))
            said = [
                *said,
                {"role": "assistant", "content": text},
                {"role": "user", "content": f"That answer cannot be used. {why} Answer again, with JSON alone."},
            ]
        else:
            exchanges.append(_exchange(endpoint, said, text, "accepted"))
            return answer, tuple(exchanges), ""
    return None, tuple(exchanges), why


def _exchange(endpoint: Endpoint, said: list[dict[str, str]], answer: str | None, outcome: str) -> Mapping[str, Any]:
    prompt = [dict(one) for one in said]
    return {
        "endpoint": endpoint.shown,
        "model": endpoint.model,
        "prompt": prompt,
        "prompt_sha256": _sha256("\n".join(f"{one['role']}: {one['content']}" for one in prompt)),
        "answer": answer,
        "answer_sha256": None if answer is None else _sha256(answer),
        "outcome": outcome,
    }


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _ranked(answer: Answer, asked: Asked) -> tuple[Ranked, ...]:
    """The named ones in their order; those that were not named come last and are left out."""
    many = len(asked.features)
    named_ones = [
        Ranked(feature=name, score=(many - place) / many, reason=reason)
        for place, (name, reason) in enumerate(answer.items())
    ]
    others = [
        Ranked(feature=name, score=0.0, reason="The language model did not name it.", drop=True)
        for name in asked.features
        if name not in answer
    ]
    return (*named_ones, *others)
