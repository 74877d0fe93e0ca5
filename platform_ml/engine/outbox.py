"""Runs on their way to the tracker: written down before they are sent, and kept until they have arrived."""

from __future__ import annotations

import fcntl
import json
import shutil
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from platform_ml.engine.durable import sync_path
from platform_ml.engine.tracked import Recorded, RecordedRun, TrackedDataset, TrackedRun
from platform_ml.spec.errors import StoreError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from platform_ml.engine.ports import Tracker

MESSAGE, FILES = "run.json", "files"
WRITING, SENT = ".writing-", ".sent-"
ABANDONED = 86_400.0
"""Seconds after which a message that was never finished is taken to be that of a killed process."""


@dataclass(frozen=True, kw_only=True)
class Sending:
    """What became of the runs that were kept."""

    sent: Mapping[str, str] = field(default_factory=dict)
    """Message → id of its run."""
    kept: Mapping[str, str] = field(default_factory=dict)
    """Message → why it is still here."""


@dataclass(frozen=True)
class Outbox:
    """A tracker that loses no run: what cannot be sent now waits in a folder and is sent before the next one.

    Each message is a folder of its own, synced to the disk before anything is sent, and sent under a key, so that a
    process that was killed on the way is followed by another one that goes on where it stopped.
    """

    tracker: Tracker
    folder: Path

    def record(self, run: TrackedRun) -> Recorded:
        """Write the run down, then send all that waits, oldest first.

        Raises:
            StoreError: it can be neither sent nor written down.
        """
        own = run if run.key else replace(run, key=uuid4().hex)
        try:
            message = self._keep(own)
        except OSError as error:
            raise StoreError(
                f"{self.folder}: a run cannot be written down ({error}). "
                "Free space or mend the folder, then run it again."
            ) from error
        done = self.send()
        if message in done.kept:
            return Recorded(run_id="", waits=done.kept[message])
        if message in done.sent:
            return Recorded(run_id=done.sent[message])
        try:
            return Recorded(run_id=self.tracker.find(own.experiment, own.key) or "")  # another process has sent it
        except UnreachableError as error:
            return Recorded(run_id="", waits=str(error))

    def find(self, experiment: str, key: str) -> str | None:
        """The id of a run, once everything that waits was sent."""
        self.send()
        return self.tracker.find(experiment, key)

    def runs(self, experiment: str, kinds: Sequence[str]) -> list[RecordedRun]:
        """What has arrived."""
        return self.tracker.runs(experiment, kinds)

    def waiting(self) -> list[str]:
        """The messages that are not sent yet, oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted(path.name for path in self.folder.iterdir() if not path.name.startswith("."))

    def send(self) -> Sending:
        """Send what waits; after the first run that finds nobody, none is tried."""
        sent: dict[str, str] = {}
        kept: dict[str, str] = {}
        if not self.waiting():
            return Sending()
        with self._alone():
            nobody = ""
            for name in self.waiting():
                if nobody:
                    kept[name] = nobody
                    continue
                try:
                    sent[name] = self.tracker.record(self.read(name)).run_id
                    self._remove(name)
                except UnreachableError as error:
                    kept[name] = nobody = str(error)
                except StoreError as error:
                    kept[name] = str(error)
            self._sweep()
        return Sending(sent=sent, kept=kept)

    def read(self, name: str) -> TrackedRun:
        """A message that waits."""
        folder = self.folder / name
        try:
            return _run(json.loads((folder / MESSAGE).read_text(encoding="utf-8")), folder / FILES)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StoreError(f"{folder / MESSAGE} cannot be read ({error}). Move the folder away.") from error

    def _keep(self, run: TrackedRun) -> str:
        self.folder.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=WRITING, dir=self.folder))
        try:
            (aside / FILES).mkdir()
            text = json.dumps(_plain(run, aside / FILES))
            (aside / MESSAGE).write_text(text, encoding="utf-8")
            for path in (*(aside / FILES).iterdir(), aside / FILES, aside / MESSAGE, aside):
                sync_path(path)
            name = f"{time.time_ns():020d}-{uuid4().hex[:8]}"
            aside.rename(self.folder / name)
            sync_path(self.folder)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
        return name

    def _remove(self, name: str) -> None:
        aside = self.folder / f"{SENT}{name}"
        (self.folder / name).rename(aside)
        shutil.rmtree(aside, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove what killed processes left behind."""
        for path in self.folder.iterdir():
            abandoned = path.name.startswith(WRITING) and time.time() - path.stat().st_mtime > ABANDONED
            if abandoned or path.name.startswith(SENT):
                shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        with (self.folder / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _plain(run: TrackedRun, files: Path) -> dict[str, Any]:
    """The run as JSON, its artifacts copied into `files`."""
    kept = {}
    for path, file in run.artifacts.items():
        kept[path] = str(len(list(files.iterdir())))
        shutil.copyfile(file, files / kept[path])
    own = {item.name: getattr(run, item.name) for item in fields(run)}
    return own | {
        "params": {name: str(value) for name, value in run.params.items()},
        "metrics": {name: float(value) for name, value in run.metrics.items()},
        "tags": dict(run.tags),
        "artifacts": kept,
        "curves": {name: [float(value) for value in values] for name, values in run.curves.items()},
        "datasets": [{item.name: _copy(getattr(one, item.name)) for item in fields(one)} for one in run.datasets],
        "children": [_plain(child, files) for child in run.children],
    }


def _copy(value: Any) -> Any:
    return value if isinstance(value, str | int) else dict(value)


def _run(plain: Mapping[str, Any], files: Path) -> TrackedRun:
    return TrackedRun(
        **{
            **plain,
            "artifacts": {path: files / name for path, name in plain["artifacts"].items()},
            "datasets": [TrackedDataset(**one) for one in plain["datasets"]],
            "children": [_run(child, files) for child in plain["children"]],
        }
    )
