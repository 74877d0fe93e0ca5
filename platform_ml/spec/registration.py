"""The way into the registry: through gates, and no other."""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field, replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError, Refused, did_you_mean
from platform_ml.spec.fingerprint import ADDED, PROSE, fingerprint
from platform_ml.spec.gate import BoundTo, Outcome, Verdict, is_advisory
from platform_ml.spec.naming import check_known, check_name, check_unique
from platform_ml.spec.stage import Stage

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import EvaluationResult
    from platform_ml.spec.gate import Gate
    from platform_ml.spec.model_card import ModelCard
    from platform_ml.spec.retraining import Retraining
    from platform_ml.spec.waiver import Waiver

BY_ITSELF = tuple(map(str, (Stage.CHAMPION, Stage.CHALLENGER, Stage.CANDIDATE)))


@dataclass(frozen=True, kw_only=True)
class Registration:
    """A model with its card enters the registry under this name when every gate passed."""

    name: str
    description: str = field(metadata=PROSE)
    card: ModelCard
    gates: tuple[Gate, ...]
    alias: str = "champion"
    """What a newly registered version of the newest cutoff becomes by itself: champion, challenger or candidate."""
    waivers: tuple[Waiver, ...] = field(default=(), metadata=ADDED)
    """Who answers for which gate that does not pass, and until when."""
    retraining: Retraining | None = field(default=None, metadata=PROSE)
    """When the model is trained again by itself; None: when somebody asks for it. It changes no verdict."""

    def __post_init__(self) -> None:
        check_name("Registration", self.name)
        where = f"Registration {self.name!r}"
        if not self.gates:
            raise DeclarationError(f"{where} has no gates: nothing would stop a bad model.")
        check_unique(where, "gate", [gate.name for gate in self.gates])
        if self.alias not in BY_ITSELF:
            raise DeclarationError(
                f"{where}: a version cannot become {self.alias!r} by itself.{did_you_mean(self.alias, BY_ITSELF)} "
                f"Use one of: {', '.join(BY_ITSELF)}."
            )
        for gate in self.gates:
            check_name("Gate", gate.name)
            gate.check(self.card.evaluation)
        check_known(
            where, "gate to waive", [waiver.gate for waiver in self.waivers], [gate.name for gate in self.gates]
        )
        check_unique(where, "waiver of gate", [waiver.gate for waiver in self.waivers])
        if self.retraining is not None:
            self.retraining.check(self.card.evaluation)

    def judge(self, result: EvaluationResult, *, on: date | None = None) -> tuple[Verdict, ...]:
        """The verdict of every gate, bound to what was judged, with the waivers that hold `on` this day (UTC, today).

        A gate that raises, or answers for another one, fails; a waiver is for what a gate said, so not for that.
        """
        day = on or datetime.now(tz=UTC).date()
        bound = BoundTo(
            model=result.model_digest,
            dataset=result.dataset_digest,
            evaluation=result.digest,
            policy=fingerprint(self),
        )
        waivers = {waiver.gate: waiver for waiver in self.waivers}
        return tuple(replace(_waived(gate, result, waivers.get(gate.name), day), bound_to=bound) for gate in self.gates)


def _waived(gate: Gate, result: EvaluationResult, waiver: Waiver | None, day: date) -> Verdict:
    try:
        verdict = gate.judge(result)
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not let a model through
        return _broken(gate, f"The gate raised {type(error).__name__}: {error}")
    if not isinstance(verdict, Verdict) or verdict.gate != gate.name:
        return _broken(gate, f"The gate answered with {verdict!r:.200}, which is no verdict of its own")
    if verdict.passed or waiver is None:
        return verdict
    if waiver.holds(day):
        return replace(verdict, waiver=waiver)
    expired = f"The waiver by {waiver.author} expired on {waiver.expires.isoformat()}: remove it, or have it renewed."
    return replace(verdict, advice=f"{verdict.advice} {expired}".strip())


def _broken(gate: Gate, what: str) -> Verdict:
    return Verdict(
        gate=gate.name,
        outcome=Outcome.FAILED,
        reason=f"{what.rstrip('.')}.",
        advice="Mend the gate: one that cannot judge lets nothing through, with or without a waiver.",
        advisory=is_advisory(gate),
    )


_KEY = object()


@dataclass(frozen=True, kw_only=True)
class Approved:
    """The right to be registered. Only `Approved.by` can make one, from gates that stop nothing on these numbers."""

    registration: str
    model_digest: str
    dataset_digest: str
    evaluation_digest: str
    policy_digest: str
    """Fingerprint of the registration: gates, waivers and evaluation."""
    verdicts: tuple[Verdict, ...]
    key: InitVar[object] = None

    def __post_init__(self, key: object) -> None:
        if key is not _KEY:
            raise Refused(f"{self.registration!r} was approved by no gate. Use Approved.by(registration, result).")

    @classmethod
    def by(cls, registration: Registration, result: EvaluationResult, *, act: str = "registered") -> Approved:
        """Judge the numbers now; `Refused` names what is not done, every gate that stops it, and why."""
        expected = fingerprint(registration.card.evaluation)
        if result.policy_digest != expected:
            raise Refused(
                f"Not {act}: {registration.name!r} was evaluated by another declaration "
                f"({result.policy_digest[:12]}, now {expected[:12]}). Materialize the evaluation again."
            )
        verdicts = registration.judge(result)
        if stopped := [verdict for verdict in verdicts if verdict.stops]:
            reasons = "; ".join(f"{v.gate}: {v.reason} {v.advice}".rstrip() for v in stopped)
            raise Refused(f"Not {act}: {registration.name!r} did not pass its gates. {reasons}")
        return cls(
            registration=registration.name,
            model_digest=result.model_digest,
            dataset_digest=result.dataset_digest,
            evaluation_digest=result.digest,
            policy_digest=fingerprint(registration),
            verdicts=verdicts,
            key=_KEY,
        )
