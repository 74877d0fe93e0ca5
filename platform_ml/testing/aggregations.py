"""The laws of aggregations: a member's test class inherits them."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, dataclass, fields, replace
from datetime import timedelta
from decimal import Decimal as Exact
from typing import TYPE_CHECKING, Any, ClassVar, get_args

import numpy as np
import pyarrow as pa
import pytest

from platform_ml.engine import pairs as pair_blocks
from platform_ml.engine.point_in_time import Side, join
from platform_ml.features import Windowed
from platform_ml.features.windowed import Edges
from platform_ml.formats import Parquet
from platform_ml.spec.aggregation import AggregationOf
from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.feature_group import FeatureGroup
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.history import History
from platform_ml.spec.naming import check_name
from platform_ml.spec.schema import Boolean, Column, Decimal, Double, Integer, Text, Timestamp
from platform_ml.spec.source import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from platform_ml.spec.aggregation import Aggregation

SECOND = 1_000_000
START = 1_700_000_000 * SECOND
SPAN = 600
"""Seconds in which everything happens."""
WINDOWS = (timedelta(seconds=7), timedelta(seconds=60), timedelta(hours=2), None)
CLOSE = 1e-9

sales = Source(
    name="sales",
    description="What a shop sold.",
    format=Parquet(),
    columns=(
        Column("shop", Integer()),
        Column("item", Text(), nullable=True),
        Column("amount", Decimal(18, 2), nullable=True),
        Column("pieces", Integer(), nullable=True),
        Column("weight", Double(), nullable=True),
        Column("gift", Boolean(), nullable=True),
        Column("sold_at", Timestamp()),
    ),
    key=("shop", "sold_at"),
)
TYPES = sales.types
SCHEMA = pa.schema(
    {
        "shop": pa.int64(),
        "item": pa.string(),
        "amount": pa.decimal128(18, 2),
        "pieces": pa.int64(),
        "weight": pa.float64(),
        "gift": pa.bool_(),
        "event_time": pa.timestamp("us", tz="UTC"),
    }
)


@dataclass(frozen=True, kw_only=True)
class Sale:
    """One event; `at` counts microseconds from the start."""

    at: int
    shop: int = 1
    item: str | None = None
    amount: Exact | None = None
    pieces: int | None = None
    weight: float | None = None
    gift: bool | None = None

    @property
    def event_time(self) -> int:
        """When it was, UTC microseconds."""
        return START + self.at


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One label row."""

    at: int
    shop: int | None = 1


class AggregationContract:
    """What every aggregation promises, whatever the events are."""

    exact: ClassVar[bool] = False
    """Whether the result must be that of the definition to the last digit."""

    @pytest.fixture
    def how(self) -> Aggregation:
        """The member under test; its column is one of `sales`."""
        raise NotImplementedError

    def oracle(self, how: Any, events: Sequence[tuple[Any, float]], seconds: float | None) -> object:
        """The definition in plain Python: of (value, seconds before the moment), oldest first and without nulls.

        `seconds` is the length of the window.
        """
        raise NotImplementedError

    def expected(self, how: Aggregation, events: Sequence[Sale], row: Asked, feature: Windowed) -> object:
        """The answer to one label row."""
        column = next(iter(how.columns()), None)
        seen = sorted((e for e in events if e.shop == row.shop and inside(e.at, row.at, feature)), key=lambda e: e.at)
        known = [(1 if column is None else getattr(e, column), (row.at - e.at) / SECOND) for e in seen]
        length = feature.window.total_seconds() if feature.window else None
        return self.oracle(how, [pair for pair in known if pair[0] is not None], length)

    @pytest.fixture(params=(1, 2), ids="seed {}".format)
    def events(self, request: pytest.FixtureRequest) -> list[Sale]:
        """Shops that sell often and hardly ever; every column is unknown at times."""
        return invented(request.param)

    def test_says_what_it_is(self, how: Aggregation) -> None:
        check_name("Aggregation", how.name)
        assert how.meaning[0].isupper()
        assert not how.meaning.endswith(".")
        assert set(how.columns()) <= set(TYPES)
        assert how.result(TYPES) in {Integer(), Double(), *(TYPES[column] for column in how.columns())}
        assert fingerprint(how) == fingerprint(replace(how))  # type: ignore[type-var]

    def test_cannot_be_changed(self, how: Any) -> None:
        with pytest.raises(FrozenInstanceError):
            setattr(how, fields(how)[0].name, None)

    def test_agrees_with_its_definition(self, how: Aggregation, events: list[Sale]) -> None:
        rows = questions(3)
        for edges in get_args(Edges):
            for feature in windowed(how, edges=edges):
                (found,) = answers([feature], events, rows).values()
                for row, value in zip(rows, found, strict=True):
                    wanted = self.expected(how, events, row, feature)
                    assert self.alike(value, wanted), (feature.name, edges, row, value, wanted)

    def alike(self, value: object, wanted: object) -> bool:
        """Whether a result is the definition's."""
        if isinstance(value, float) and isinstance(wanted, float) and not self.exact:
            return value == pytest.approx(wanted, rel=CLOSE, abs=CLOSE, nan_ok=True)
        return type(value) is type(wanted) and value == wanted

    def test_the_order_of_label_rows_does_not_matter(self, how: Aggregation, events: list[Sale]) -> None:
        rows = questions(4)
        order = np.random.default_rng(5).permutation(len(rows))
        straight = answers(windowed(how), events, rows)
        mixed = answers(windowed(how), events, [rows[n] for n in order])
        assert mixed == {name: [values[n] for n in order] for name, values in straight.items()}

    def test_the_order_of_events_does_not_matter(self, how: Aggregation, events: list[Sale]) -> None:
        order = np.random.default_rng(6).permutation(len(events))
        rows = questions(4)
        assert answers(windowed(how), [events[n] for n in order], rows) == answers(windowed(how), events, rows)

    def test_several_windows_in_one_pass_are_each_as_if_alone(self, how: Aggregation, events: list[Sale]) -> None:
        rows, features = questions(4), windowed(how)
        together = table_of(features, events, rows)
        for feature in features:
            assert bytes_of(table_of([feature], events, rows)) == bytes_of(together.select([feature.name]))

    def test_pieces_and_threads_change_no_byte(self, how: Aggregation, monkeypatch: pytest.MonkeyPatch) -> None:
        events, rows, features = invented(7, 400), questions(8, 200), windowed(how)
        whole = bytes_of(table_of(features, events, rows, threads=1))
        assert bytes_of(table_of(features, events, rows, threads=4)) == whole
        for pairs in (1, 7, 100):
            monkeypatch.setattr(pair_blocks, "PAIRS", pairs)
            assert bytes_of(table_of(features, events, rows)) == whole

    def test_what_is_not_known_does_not_count(self, how: Aggregation, events: list[Sale]) -> None:
        if not how.columns():
            return
        (column,), rows = how.columns(), questions(4)
        blank = [replace(event, at=event.at + 1, **{column: None}) for event in events]  # type: ignore[arg-type]
        assert answers(windowed(how), [*events, *blank], rows) == answers(windowed(how), events, rows)

    def test_other_keys_and_later_events_do_not_count(self, how: Aggregation, events: list[Sale]) -> None:
        rows = questions(4)
        huge = {"pieces": 2**62, "amount": Exact(10**16) - 1, "weight": 1e300, "item": "z", "gift": True}
        noise = [Sale(at=n, shop=99, **huge) for n in range(50)]  # type: ignore[arg-type]
        later = [Sale(at=(SPAN + 100) * SECOND + n, shop=n % 4, **huge) for n in range(50)]  # type: ignore[arg-type]
        assert answers(windowed(how), [*events, *noise, *later], rows) == answers(windowed(how), events, rows)

    def test_nothing_in_the_window(self, how: Aggregation) -> None:
        rows = [Asked(at=0), Asked(at=5 * SECOND, shop=2), Asked(at=5 * SECOND, shop=None)]
        for events in ([], [Sale(at=SECOND)]):
            for values in answers(windowed(how), events, rows).values():
                assert values == [how.of_nothing] * 3
        assert all(values == [] for values in answers(windowed(how), [Sale(at=SECOND)], []).values())

    def test_what_is_no_number_makes_no_number(self, how: Any) -> None:
        if not isinstance(how, AggregationOf):
            return
        over = Windowed(how=replace(how, of="weight"), window=None)
        events = [Sale(at=0, weight=1.0), Sale(at=SECOND, weight=math.nan), Sale(at=2 * SECOND, weight=3.0)]
        (found,) = answers([over], events, [Asked(at=SECOND), Asked(at=3 * SECOND)]).values()
        assert math.isnan(found[1])
        assert found[0] is None or found[0] == 0 or found[0] == pytest.approx(1.0)

    def test_text_is_refused_where_numbers_are_needed(self, how: Any) -> None:
        if isinstance(how, AggregationOf):
            what = rf"{type(how).__name__} of 'item': the column is VARCHAR, not a number\. Choose a number"
            with pytest.raises(DeclarationError, match=what):
                replace(how, of="item").result(TYPES)


def windowed(how: Aggregation, *, edges: Edges = "[)") -> list[Windowed]:
    """Over windows of several lengths."""
    lengths = WINDOWS[:-1] if how.needs_length else WINDOWS
    return [Windowed(how=how, window=window, edges=edges) for window in lengths]


def inside(event: int, moment: int, feature: Windowed) -> bool:
    """Whether an event lies in the window before a moment."""
    if event > moment or (event == moment and feature.edges.endswith(")")):
        return False
    if feature.window is None:
        return True
    begin = moment - feature.window // timedelta(microseconds=1)
    return event > begin or (event == begin and feature.edges.startswith("["))


def table_of(
    features: Sequence[Windowed], events: Sequence[Sale], rows: Sequence[Asked], *, threads: int = 2
) -> pa.Table:
    """What the engine makes of them: one column each."""
    group = FeatureGroup(
        name="shop_sales",
        description="Invented.",
        source=sales,
        entity="shop",
        features=tuple(features),
        history=History(event_time="sold_at", ties="last"),
    )
    there = pa.table({name: [getattr(event, name) for event in events] for name in SCHEMA.names}, schema=SCHEMA)
    spine = pa.table(
        {
            "shop": pa.array([row.shop for row in rows], pa.int64()),
            "event_time": pa.array([START + row.at for row in rows], pa.timestamp("us", tz="UTC")),
        }
    )
    names = [feature.name for feature in features]
    return join(spine, [Side(selection=group.select(*names), rows=there)], threads=threads).select(names)


def answers(features: Sequence[Windowed], events: Sequence[Sale], rows: Sequence[Asked]) -> dict[str, list[Any]]:
    """Feature → its value for every row."""
    return table_of(features, events, rows).to_pydict()


def bytes_of(rows: pa.Table) -> bytes:
    """The rows as they lie in memory."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as stream:
        stream.write_table(rows.combine_chunks())
    return bytes(sink.getvalue())


def invented(seed: int, count: int = 150) -> list[Sale]:
    """Random events; no two of a shop at the same moment."""
    draw = np.random.default_rng(seed)
    times = draw.permutation(SPAN * 2)[:count]

    def unless(share: float, value: Any) -> Any:
        return None if draw.random() < share else value

    return [
        Sale(
            at=int(at) * SECOND // 2,
            shop=int(4 * draw.random() ** 2),
            item=unless(0.1, "abcd"[draw.integers(4)]),
            amount=unless(0.1, Exact(int(draw.integers(-500, 100_000))).scaleb(-2)),
            pieces=unless(0.1, int(draw.integers(-3, 6))),
            weight=unless(0.1, float(draw.normal())),
            gift=unless(0.1, bool(draw.integers(2))),
        )
        for at in times
    ]


def questions(seed: int, count: int = 40) -> list[Asked]:
    """Random label rows, some at the very moment of an event, some for shops without events, one for none."""
    draw = np.random.default_rng(seed)
    rows = [Asked(at=int(draw.integers(SPAN * 2 + 20)) * SECOND // 2, shop=int(draw.integers(5))) for _ in range(count)]
    return [*rows, Asked(at=SPAN * SECOND, shop=None)]
