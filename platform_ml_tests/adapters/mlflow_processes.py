"""What other processes do to the same store: they start from one that has imported everything, in milliseconds."""

import multiprocessing
import os
import signal

from mlflow import MlflowClient
from sqlalchemy import event
from sqlalchemy.engine import Engine

from platform_ml.adapters.mlflow import MLflowRegistry, MLflowTracker, connect
from platform_ml.engine import promotion
from platform_ml.engine.outbox import Outbox
from platform_ml.engine.promotion import take_seat
from platform_ml.spec.errors import Refused
from platform_ml.spec.stage import Actor, Stage
from platform_ml.testing.declarations import lapse

__all__ = ["MlflowClient", "register", "send", "start"]

STUCK = 300
"""Seconds after which a process has come to a standstill, on however busy a machine."""


def start(work, *arguments):
    """A process that does this work."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=work, args=arguments, daemon=True)
    process.start()
    return process


def send(uri, artifacts, outbox, statements=None):
    """Send what waits, and be killed after so many statements to the database."""
    outbox = Outbox(MLflowTracker(uri, artifacts), outbox)
    connect(uri)
    killed_after(statements)
    assert outbox.send().kept == {}


def killed_after(statements):
    """This process, after so many statements to the database."""
    seen = 0

    def count(*_):
        nonlocal seen
        seen += 1
        if seen == statements:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "after_cursor_execute", count)


def enter(uri, artifacts, name, entry, after, statements):
    """Enter a transition, and be killed on the way."""
    registry = MLflowRegistry(uri, artifacts)
    connect(uri)
    killed_after(statements)
    assert registry.enter(name, entry, after=after) is None


def promote_at_once(uri, locks, registration, version, both, said):
    """Decide to promote, wait until the other one has decided, too, and try."""
    actor = Actor(who=f"user {version}", run="test")
    try:
        made = promotion.promote(
            registration,
            version,
            Stage.CHAMPION,
            registry=MLflowRegistry(uri, locks),
            actor=actor,
            why="It is the better one.",
            say=lambda _: both.wait(STUCK),
        )
    except Refused as error:
        said.put((version, str(error)))
    else:
        said.put((version, made))


def register(uri, locks, run_id, file, both, said):
    """Six models, one after the other, each of which becomes the champion."""
    registry = MLflowRegistry(uri, locks)
    connect(uri)
    both.wait(STUCK)
    for number in range(6):
        tags = {"model": f"m{number}", "cutoff": f"2024-06-{10 + number}"}
        version = registry.register("lapse", run_id, {"model.ubj": file}, tags, once=["model"])
        take_seat(lapse, int(version), tags["cutoff"], registry=registry, actor=Actor(who="ada", run="test"))
        said.put((f"m{number}", version))
