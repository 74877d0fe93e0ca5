"""However a group is cut into pieces, days into chunks and work among threads: the same bytes."""

import shutil
from collections import Counter
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from platform_ml.aggregations import Count, Deviation, Distinct, Last, Mean
from platform_ml.engine import group_rows, table
from platform_ml.engine.ports import CREATED, Files
from platform_ml.features import Exists, Field, Total, Windowed
from platform_ml.spec.errors import StoreError
from platform_ml.spec.feature_group import Derived, FeatureGroup
from platform_ml.spec.feature_view import FeatureView
from platform_ml.spec.history import Committed, History
from platform_ml.spec.schema import Double
from platform_ml_tests.engine.rides import Clock, at, deliver, late, make, ride, rides, rides_in

KEYS = rides.cadence.keys()
LABEL = replace(late, event=replace(late.event, horizon_days=4))
SHARE = Derived(name="share", sql="kilometres / 7.0", type=Double())


def of_events(name, entity, *features, **history):
    rules = {"event_time": "arrives_at", "bound": "<", "late_days": 2} | history
    return FeatureGroup(
        name=name,
        description="Rides.",
        source=rides,
        entity=entity,
        cadence=rides.cadence,
        features=features,
        derived=(SHARE,),
        history=History(**rules),
    )


PICKS = (Field(of="kilometres", called="last_km"), Field(of="destination", called="went_to"), Exists(called="rode"))
WINDOWS = (
    *Windowed.over(timedelta(hours=40), timedelta(days=3), how=Mean(of="share")),
    *Windowed.over(timedelta(days=3), how=Deviation(of="share")),
    *Windowed.over(timedelta(days=3), how=Count()),
    *Windowed.over(timedelta(days=3), how=Distinct(of="destination")),
    *Windowed.over(timedelta(days=3), how=Last(of="destination")),
)
GROUPS = (
    of_events("by_car", "car", *PICKS, ties="last", ttl=timedelta(days=2)),
    of_events("by_both", ("car", "driver"), *PICKS, *WINDOWS, ties="last", match_null_keys=True),
    of_events("by_driver", "driver", *PICKS, *WINDOWS, sequence="number", ties="last", tombstone="gone"),
    of_events("known_late", "car", *PICKS, *WINDOWS, ties="last", known=Committed(since=date(2024, 3, 4))),
    FeatureGroup(
        name="daily",
        description="Every day.",
        source=rides,
        entity=("car", "driver"),
        cadence=rides.cadence,
        features=(Total(days=3, of="kilometres"),),
        history=History(known=Committed(since=date(2024, 3, 4))),
    ),
)
VIEW = FeatureView(
    name="whole",
    description="Everything.",
    label=LABEL,
    features=tuple(
        replace(group).select(*(feature.name for feature in group.features)).role(f"{group.name}_") for group in GROUPS
    ),
)


def invented(seed, day=None):
    """Some hundred rides; some arrive days later, some cars and drivers are not known."""
    draw = np.random.default_rng(seed)
    found = []
    for number in range(400):
        leaves = at(int(day or draw.integers(1, 11)), minute=15 * int(draw.integers(96)))
        arrives = leaves + timedelta(minutes=15 * int(draw.choice([1, 3, 9, 150])))
        found.append(
            ride(
                1_000 * seed + number,
                leaves,
                arrives,
                [None, "a", "aa", "ä", "b-1"][draw.integers(5)],
                driver=[None, 1, 2, 11][draw.integers(4)],
                kilometres=[None, *range(1, 50)][draw.integers(50)],
                destination=[None, "n", "s", "w"][draw.integers(4)],
                origin="n",
                number=int(draw.integers(3)),
                gone=bool(draw.random() < 0.1),
            )
        )
    return found


@pytest.fixture(scope="module")
def _built(tmp_path_factory):
    """Loaded on the third; the second and fourth day come again on the sixth, the fourth once more on the eighth."""
    clock = Clock(at(3))
    work = rides_in(tmp_path_factory.mktemp("built"), clock=clock)
    deliver(work, *invented(1))
    days = {at(3): KEYS, at(6, 7): [KEYS[1], KEYS[3]], at(8): [KEYS[3]]}
    for seed, (now, keys) in enumerate(days.items(), 1):
        clock.now = now
        if seed > 1:
            deliver(work, *invented(seed), days=keys)
        for noun in (rides, *GROUPS, LABEL):
            assert make(work, noun, KEYS if noun is GROUPS[-1] else keys, token=seed) == []
    assert make(work, VIEW) == []
    return work.platform.landing.parent


@pytest.fixture
def built(tmp_path, _built):
    return shutil.copytree(_built, tmp_path / "built")


def contents(work, view):
    return {key: state.content for key, state in work.read(view, []).partitions.items()}


def test_the_rows_say_something(built):
    """Otherwise equal bytes would prove nothing."""
    work = rides_in(built)
    snapshot = work.read(VIEW, [])
    files = Files(paths=snapshot.paths(), schema=snapshot.schema)
    rows = work.platform.compute.query("SELECT * FROM rows", {"rows": files}).table()
    assert rows.num_rows > 300
    for name in VIEW.joined:
        values = rows[name].drop_null()
        assert len(values.unique()) > 1, name


@pytest.mark.parametrize(
    ("cells", "days", "threads"),
    [(1 << 28, 1, 1), (1 << 28, 3, 4), (1 << 28, 10, 4), (500, 1, 4), (500, 3, 1), (500, 10, 1)],
)
def test_pieces_chunks_and_threads_change_nothing(built, monkeypatch, threads, days, cells):
    monkeypatch.setattr(group_rows, "CELLS", cells)
    monkeypatch.setattr(table, "CHUNK_DAYS", days)
    work = rides_in(built, threads=threads)
    again = replace(VIEW, name="again")
    assert make(work, again) == []
    assert contents(work, again) == contents(work, VIEW)


def test_a_group_is_read_once_or_in_pieces(built, monkeypatch):
    """Every piece is a query of its own over all files."""
    work = rides_in(built)
    view = replace(VIEW, name="one", features=VIEW.features[3:4])
    assert make(work, view) == []
    (read,) = set(Counter(path for path in work.platform.compute.read if "/known_late/" in path).values())
    assert read == 1
    monkeypatch.setattr(group_rows, "CELLS", 500)
    work.platform.compute.read.clear()
    assert make(work, replace(view, name="two")) == []
    (read,) = set(Counter(path for path in work.platform.compute.read if "/known_late/" in path).values())
    assert read > 1


def test_rows_that_no_commit_wrote_are_not_believed(built):
    """A data file in which somebody wrote another time."""
    work = rides_in(built)
    path = work.read(GROUPS[3], []).paths([KEYS[4]])[0]
    rows = pq.ParquetFile(path).read()
    later = pa.scalar(rows[CREATED][0].as_py() + timedelta(seconds=1), rows[CREATED].type)
    mended = rows.set_column(rows.column_names.index(CREATED), CREATED, pa.repeat(later, len(rows)))
    pq.write_table(mended, path)
    with pytest.raises(StoreError, match="rows that its commit did not write"):
        make(work, replace(VIEW, name="spoiled"))
