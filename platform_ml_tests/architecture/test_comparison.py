"""What docs/comparison.md says can be seen is there to be seen."""

import re
from pathlib import Path

import pytest

from platform_ml.cli import main

ROOT = Path(__file__).parents[2]
ROWS = [line.strip("| ").split(" | ") for line in (ROOT / "docs/comparison.md").read_text().splitlines()[11:]]
SEEN = sorted({place for row in ROWS for place in re.findall(r"`([^`]+)`", row[-1])})


def test_every_point_is_seen_somewhere_or_said_to_be_missing():
    assert len(ROWS) > 25
    assert [row[0] for row in ROWS if not re.search(r"`", row[-1]) and "not yet" not in row] == []


@pytest.mark.parametrize("place", SEEN)
def test_the_place_is_there(place, capsys):
    if place.startswith("platform-ml "):
        with pytest.raises(SystemExit, match=r"^0$"):
            main([place.split()[1], "--help"])
        assert place.split()[1] in capsys.readouterr().out
    else:
        assert (ROOT / place).exists() or (ROOT / "platform_ml_tests" / place).exists()
