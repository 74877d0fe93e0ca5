import numpy as np
import pyarrow as pa
import pytest

from platform_ml.preparations import Erase
from platform_ml.spec.errors import DeclarationError, RowsError
from platform_ml.testing.preparations import PreparationContract

NAMES = ("income", "debt", "rent")
ERASE = Erase(of=NAMES, group="town")


def people(seed, count=400):
    """Three towns that differ in what they earn and pay; half of the rents are not known."""
    draw = np.random.default_rng(seed)
    town = draw.integers(0, 3, count)
    income = draw.normal(30 + 5 * town, 4)
    return pa.table(
        {
            "income": income,
            "debt": 1000 * (0.5 * income + draw.normal(0, 2, count)),
            "rent": pa.array(draw.normal(10 + town % 2, 1), mask=draw.random(count) < 0.5),
            "town": pa.array(["north", "south", None], pa.string()).take(pa.array(town)),
        }
    )


class TestErase(PreparationContract):
    @pytest.fixture
    def preparation(self):
        return Erase(of=("amount", "visits"), group="shop")


def means(rows, towns):
    return {
        town: [np.nanmean(rows[name].to_numpy()[towns == str(town)]) for name in NAMES]
        for town in ("north", "south", None)
    }


def test_the_means_are_the_same_in_every_group_and_no_sum_tells_them_apart():
    train = people(1)
    erased, towns = ERASE.apply(train, ERASE.fit(train)), np.array([str(town) for town in train["town"].to_pylist()])
    (first, *others) = means(erased, towns).values()
    assert means(train, towns)["north"] != pytest.approx(means(train, towns)["south"], rel=0.01)
    for other in others:
        assert other == pytest.approx(first, rel=1e-9)
    columns = np.column_stack([erased[name].to_numpy() for name in NAMES])
    columns -= columns.mean(axis=0)
    for town in ("north", "south", "None"):
        weights = np.linalg.lstsq(columns, (towns == town) - (towns == town).mean(), rcond=None)[0]
        assert columns @ weights == pytest.approx(0, abs=1e-9)


def test_as_little_as_possible_is_moved():
    """A plain projection evens out the means as well, and moves the numbers farther."""
    train = people(1).drop_columns(["rent"]).set_column(2, "town", pa.array(["north", "south"] * 200))
    names = NAMES[:2]
    erase = Erase(of=names, group="town")
    raw, left = (
        np.column_stack([rows[name].to_numpy() for name in names])
        for rows in (train, erase.apply(train, erase.fit(train)))
    )
    given, erased = ((one - raw.mean(axis=0)) / raw.std(axis=0) for one in (raw, left))
    apart = given[::2].mean(axis=0) - given[1::2].mean(axis=0)
    projected = given - np.outer(given @ apart, apart) / (apart @ apart)
    for made in (erased, projected):
        assert made[::2].mean(axis=0) == pytest.approx(made[1::2].mean(axis=0), abs=1e-9)
    assert 0 < ((erased - given) ** 2).sum() < ((projected - given) ** 2).sum()


def test_the_group_is_not_needed_to_predict():
    state = ERASE.fit(people(1))
    new = people(2)
    assert ERASE.apply(new.drop_columns(["town"]), state).equals(ERASE.apply(new, state).drop_columns(["town"]))


def test_one_group_is_refused():
    train = people(1)
    alone = train.set_column(3, "town", pa.array(["north"] * 400))
    with pytest.raises(RowsError, match="one group by 'town' in all 400 training rows"):
        ERASE.fit(alone)


def test_the_group_is_no_feature():
    with pytest.raises(DeclarationError, match="group 'rent' is among the features"):
        Erase(of=NAMES, group="rent")
