"""The laws of origins: a member's test class inherits them."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace
from datetime import date
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from platform_ml.formats import CSV
from platform_ml.spec.errors import SourceError
from platform_ml.spec.fingerprint import fingerprint
from platform_ml.spec.origin import Feed, Listed
from platform_ml.spec.schema import Column, Integer, Timestamp
from platform_ml.spec.source import Source
from platform_ml.spec.window import Daily

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from platform_ml.spec.origin import Origin

DAY, NEXT = "2024-03-01", "2024-03-02"
visits = Source(
    name="visits",
    description="Who came, when.",
    format=CSV(),
    columns=(Column("id", Integer()), Column("at", Timestamp())),
    key=("id",),
    event_time="at",
    cadence=Daily(first=date(2024, 3, 1), last=date(2024, 3, 31)),
)


class OriginContract:
    """What every origin promises: a delivery has one state, and what is fetched is what that state is of."""

    always_there: ClassVar[bool] = False
    """Whether a partition without rows is a delivery, and not the lack of one."""
    keeps_order: ClassVar[bool] = True
    """Whether rows come in the order that they were delivered in."""

    @pytest.fixture
    def origin(self) -> Origin:
        """The member under test."""
        raise NotImplementedError

    @pytest.fixture
    def landing(self, tmp_path: Path) -> Path | str:
        """The platform's place for delivered files."""
        return tmp_path / "landing"

    @pytest.fixture
    def feed(self, origin: Origin, landing: Path | str) -> Feed:
        """A source that comes from there."""
        return Feed(project="shop", source=replace(visits, origin=origin), landing=landing)

    def deliver(self, feed: Feed, key: str, ids: Sequence[int]) -> None:
        """Put visits with these ids there, at noon, instead of what was there."""
        raise NotImplementedError

    def ids(self, feed: Feed, path: Path) -> list[int]:
        """The ids of a fetched file."""
        return [int(line.split(",")[0]) for line in path.read_text().splitlines()[1:]]

    def test_says_what_it_is(self, origin: Any, feed: Feed) -> None:
        assert origin.kind.isidentifier()
        assert fingerprint(origin) == fingerprint(
            type(origin)(**{f.name: getattr(origin, f.name) for f in fields(origin)})
        )
        with pytest.raises(FrozenInstanceError):
            origin.kind = "other"
        assert self.always_there or DAY in origin.place(feed, DAY)
        assert origin.place(feed, "<day>")

    def test_what_was_not_delivered_has_no_state(self, origin: Origin, feed: Feed) -> None:
        if self.always_there:
            assert origin.state(feed, DAY) == origin.state(feed, NEXT) is not None
            return
        assert origin.state(feed, DAY) is None
        with (
            pytest.raises(SourceError, match=f"shop/visits, partition {DAY}: .* was not delivered"),
            origin.fetch(feed, DAY),
        ):
            pass

    def test_what_is_fetched_is_what_was_delivered(self, origin: Origin, feed: Feed) -> None:
        self.deliver(feed, DAY, [3, 1, 2])
        with origin.fetch(feed, DAY) as fetched:
            (path,) = fetched.files.values()
            assert self.ids(feed, path) == ([3, 1, 2] if self.keeps_order else [1, 2, 3])
            assert fetched.state == origin.state(feed, DAY)

    def test_another_delivery_is_another_state(self, origin: Origin, feed: Feed) -> None:
        states = set()
        for ids in ([1, 2], [1, 3], [], [1, 2, 3]):
            self.deliver(feed, DAY, ids)
            states.add(origin.state(feed, DAY))
        assert len(states) == 4
        self.deliver(feed, DAY, [1, 2])
        assert origin.state(feed, DAY) in states

    def test_partitions_do_not_mix(self, origin: Origin, feed: Feed) -> None:
        self.deliver(feed, DAY, [1])
        before = origin.state(feed, DAY)
        assert self.always_there or origin.state(feed, NEXT) is None
        self.deliver(feed, NEXT, [2])
        assert origin.state(feed, DAY) == before != origin.state(feed, NEXT)

    def test_what_is_listed_is_what_is_fetched(self, origin: Origin, feed: Feed) -> None:
        if not isinstance(origin, Listed):
            return
        assert origin.listing(feed).partitions == {}
        self.deliver(feed, NEXT, [2])
        self.deliver(feed, DAY, [1])
        listing = origin.listing(feed)
        assert list(listing.partitions) == [DAY, NEXT]
        assert listing.strays == {}
        for key, files in listing.partitions.items():
            with origin.fetch(feed, key) as fetched:
                assert (
                    [replace(one, sha256="") for one in fetched.manifest]
                    == list(files)
                    == list(origin.files(feed, key))
                )
                assert all(len(one.sha256) == 64 for one in fetched.manifest)
                assert origin.digest(feed, key, files) == fetched.state
                assert origin.digest(feed, key, files, fetched.manifest) == fetched.state
        assert origin.files(feed, "2024-03-09") == ()
