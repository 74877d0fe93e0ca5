"""The few commands that Dagster's own command line does not have."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from platform_ml.commands import automation, beginnings, data, models, operations, quality, registry
from platform_ml.spec.errors import PlatformError

ROOT = Path(__file__).resolve().parents[1]
GROUPS = (beginnings, quality, automation, data, models, registry, operations)
"""In the order of the help."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; errors that the platform foresees are one line, not a stack."""
    options = parser().parse_args(arguments)
    os.environ.setdefault("DAGSTER_HOME", str(ROOT))
    try:
        return int(options.run(options))
    except PlatformError as error:
        print(f"platform-ml: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains again when it ends
        return 1
    except KeyboardInterrupt:
        print("platform-ml: stopped. What was committed stays; run it again to go on.", file=sys.stderr)
        return 130


class Commands(argparse._SubParsersAction):  # noqa: SLF001 - argparse has no public name for it
    """Commands whose own help begins with what the list of all says of them."""

    def add_parser(self, name: str, **settings: Any) -> Any:
        """One more command."""
        said = str(settings["help"])
        return super().add_parser(name, **settings, description=f"{said[0].upper()}{said[1:]}.")


def parser() -> argparse.ArgumentParser:
    """What the command line takes."""
    taken = argparse.ArgumentParser(prog="platform-ml", description=__doc__)
    commands = taken.add_subparsers(required=True, metavar="COMMAND", action=Commands)
    for group in GROUPS:
        group.register(commands)
    return taken


if __name__ == "__main__":
    sys.exit(main())
