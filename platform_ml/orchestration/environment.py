"""Which code runs, in which environment: what manifests, runs and cards say about it."""

from __future__ import annotations

import getpass
import hashlib
import os
import platform
import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
USER = "PLATFORM_ML_USER"
"""The environment variable that says who works here, where the account does not."""
COMMIT, DIRTY = "PLATFORM_ML_GIT_COMMIT", "PLATFORM_ML_GIT_DIRTY"
"""What an image says of the checkout that it was built from."""


@cache
def code_version() -> str:
    """The version of this package."""
    return version("platform_ml")


@cache
def environment() -> dict[str, str]:
    """Versions and hashes as plain text; "unknown" where a checkout or lock file is not at hand."""
    commit = _git("rev-parse", "HEAD")
    changes = _git("status", "--porcelain", "--untracked-files=no")
    dirty = os.environ.get(DIRTY, "unknown") if commit is None or changes is None else str(bool(changes)).lower()
    lock = ROOT / "requirements.lock"
    return {
        "platform_version": code_version(),
        "python_version": platform.python_version(),
        "git_commit": commit or os.environ.get(COMMIT, "unknown"),
        "git_dirty": dirty,
        "lock_hash": hashlib.sha256(lock.read_bytes()).hexdigest() if lock.exists() else "unknown",
    }


@cache
def machine() -> dict[str, str]:
    """Who runs the code, and on what."""
    return {
        "author": _git("config", "user.name") or _user(),
        "machine": f"{platform.platform()}, {os.cpu_count()} cores",
        "device": _device(),
    }


def user() -> str:
    """Who acts: PLATFORM_ML_USER, or the account of this process."""
    return os.environ.get(USER, "").strip() or _user()


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def _device() -> str:
    """The accelerators that are there, asked without loading a library that could use them."""
    try:
        done = subprocess.run(
            ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"],  # noqa: S607 - as the driver installs it
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return "cpu"
    return ", ".join(f"cuda:{number} {name}" for number, name in enumerate(done.stdout.splitlines())) or "cpu"


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments
            ["git", "-C", str(ROOT), *arguments],  # noqa: S607 - git as the user has it
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
