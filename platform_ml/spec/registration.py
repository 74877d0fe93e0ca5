"""The way into the registry: through gates, and no other."""

from __future__ import annotations

from dataclasses import InitVar, dataclass, field
from typing import TYPE_CHECKING

from platform_ml.spec.errors import DeclarationError, Refused
from platform_ml.spec.fingerprint import PROSE, fingerprint
from platform_ml.spec.naming import check_name, check_unique

if TYPE_CHECKING:
    from platform_ml.spec.evaluation import EvaluationResult
    from platform_ml.spec.gate import Gate, Verdict
    from platform_ml.spec.model_card import ModelCard


@dataclass(frozen=True, kw_only=True)
class Registration:
    """A model with its card enters the registry under this name when every gate passed."""

    name: str
    description: str = field(metadata=PROSE)
    card: ModelCard
    gates: tuple[Gate, ...]
    alias: str = "champion"

    def __post_init__(self) -> None:
        check_name("Registration", self.name)
        where = f"Registration {self.name!r}"
        if not self.gates:
            raise DeclarationError(f"{where} has no gates: nothing would stop a bad model.")
        check_unique(where, "gate", [gate.name for gate in self.gates])
        for gate in self.gates:
            check_name("Gate", gate.name)
            gate.check(self.card.evaluation)

    def judge(self, result: EvaluationResult) -> tuple[Verdict, ...]:
        """The verdict of every gate."""
        return tuple(gate.judge(result) for gate in self.gates)


_KEY = object()


@dataclass(frozen=True, kw_only=True)
class Approved:
    """The right to be registered. Only `Approved.by` can make one, from gates that all passed on these numbers."""

    registration: str
    model_digest: str
    dataset_digest: str
    evaluation_digest: str
    policy_digest: str
    """Fingerprint of the registration: gates and evaluation."""
    verdicts: tuple[Verdict, ...]
    key: InitVar[object] = None

    def __post_init__(self, key: object) -> None:
        if key is not _KEY:
            raise Refused(f"{self.registration!r} was approved by no gate. Use Approved.by(registration, result).")

    @classmethod
    def by(cls, registration: Registration, result: EvaluationResult) -> Approved:
        """Judge the numbers now; `Refused` names every gate that did not pass, and why."""
        expected = fingerprint(registration.card.evaluation)
        if result.policy_digest != expected:
            raise Refused(
                f"Not registered: {registration.name!r} was evaluated by another declaration "
                f"({result.policy_digest[:12]}, now {expected[:12]}). Materialize the evaluation again."
            )
        verdicts = registration.judge(result)
        if stopped := [verdict for verdict in verdicts if not verdict.passed]:
            reasons = "; ".join(f"{v.gate}: {v.reason} {v.advice}".rstrip() for v in stopped)
            raise Refused(f"Not registered: {registration.name!r} did not pass its gates. {reasons}")
        return cls(
            registration=registration.name,
            model_digest=result.model_digest,
            dataset_digest=result.dataset_digest,
            evaluation_digest=result.digest,
            policy_digest=fingerprint(registration),
            verdicts=verdicts,
            key=_KEY,
        )
