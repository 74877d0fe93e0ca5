"""A registry in memory, and models on it: published as training does, registered without the way through gates."""

from dataclasses import dataclass, field, replace

from platform_ml.engine.scores import materialize_scores
from platform_ml.engine.training_dataset import materialize_training_dataset
from platform_ml.engine.tuned_model import materialize_tuned_model
from platform_ml.spec.fingerprint import fingerprint
from platform_ml_tests.engine.searches import Notes
from platform_ml_tests.engine.shop import stamp

MADE_BY = {"git_commit": "c" * 40, "git_dirty": "false", "lock_hash": "1" * 64, "platform_version": "0"}
MADE_BY |= {"python_version": "3.11.7", "dagster_run": "run"}


@dataclass
class Shelf:
    """Versions in order, each a dictionary of tags."""

    versions: dict = field(default_factory=dict)
    aliases: dict = field(default_factory=dict)

    def register(self, name, run_id, files, tags, *, once=()):
        """Add a version."""
        self.versions.setdefault(name, []).append(dict(tags))
        return str(len(self.versions[name]))

    def find(self, name, tags):
        """The newest version with these tags."""
        there = list(enumerate(self.versions.get(name, ()), 1))
        return next((str(number) for number, said in reversed(there) if tags.items() <= said.items()), None)

    def promote(self, name, version, alias, *, newest_by=""):
        """Point an alias at a version."""
        self.aliases[name, alias] = int(version)
        return True

    def promoted(self, name, alias):
        """The tags of the version at an alias, or of a number."""
        number = int(alias) if alias.isdecimal() else self.aliases.get((name, alias), 0)
        there = self.versions.get(name, [])
        return there[number - 1] if 0 < number <= len(there) else None


def on_shelf(work, shelf=None):
    """The same platform with a registry and a tracker in memory."""
    return replace(work, platform=replace(work.platform, tracker=Notes(), registry=shelf or Shelf()))


def train(work, model, cutoff):
    """A published dataset and model."""
    done = materialize_training_dataset(model.dataset, cutoff, work=work, made_by=MADE_BY)
    assert done.artifact, [finding.reason for finding in done.findings if finding.stops]
    return materialize_tuned_model(model, cutoff, done.artifact, work=work, made_by=MADE_BY)


def champion(work, registration, trained, **more):
    """Register a published model and make it the one in use."""
    tags = {"model_digest": trained.digest, "dataset_digest": trained.record["dataset"], **more}
    registry = work.platform.registry
    version = registry.register(registration.name, "run", {}, tags)
    registry.promote(registration.name, version, registration.alias)
    return int(version)


def score(work, scores, keys=None, *, token=1):
    """Score some moments; what keeps them out."""
    keys = scores.cadence.keys() if keys is None else keys
    done = materialize_scores(scores, keys, work=work, stamp=stamp(token, fingerprint(scores)), made_by=MADE_BY)
    return [finding for one in done for finding in one.findings], [one for each in done for one in each.stopped]
