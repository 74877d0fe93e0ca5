"""python -m platform_ml_tests.point_in_time [DIR ...] [--random 2000 --seed 1] [--threads 1 2 4]."""

from __future__ import annotations

import argparse
import sys
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from platform_ml_tests.point_in_time import oracle
from platform_ml_tests.point_in_time.runner import Tally, files, invented, run

if TYPE_CHECKING:
    from platform_ml_tests.point_in_time.case import Case


def answer_of_the_oracle(case: Case, threads: int) -> list[dict[str, Any]]:
    """As the engine's; threads do not matter."""
    return oracle.answer(case)


def main() -> int:
    """Print a line for each failing case, then the tally; 1 if one failed, 2 if there was none."""
    parser = argparse.ArgumentParser(prog="python -m platform_ml_tests.point_in_time", description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, metavar="DIR", help="folders of case files")
    parser.add_argument("--random", type=int, default=0, metavar="N", help="random cases, judged by the oracle")
    parser.add_argument("--seed", type=int, default=1, help="of the random cases; the same seed gives the same cases")
    parser.add_argument("--threads", type=int, nargs="+", default=[1], metavar="N", help="judge at each of these")
    parser.add_argument("--oracle", action="store_true", help="judge the oracle in place of the engine")
    options = parser.parse_args()
    if wrong := [str(folder) for folder in options.folders if not folder.is_dir()]:
        parser.error(f"no folder: {', '.join(wrong)}")
    if options.oracle:
        ask = answer_of_the_oracle
    else:
        from platform_ml_tests.point_in_time.declared import answer as ask
    cases = chain(chain.from_iterable(map(files, options.folders)), invented(options.random, options.seed))
    for line in run(cases, ask, options.threads):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        tally = line
    if not isinstance(tally, Tally) or tally.passed + tally.failed == 0:
        sys.stderr.write("No cases: name a folder that holds *.json, or ask for --random N.\n")
        return 2
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
