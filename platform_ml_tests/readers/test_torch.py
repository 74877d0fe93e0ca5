import json
import sys
from dataclasses import replace
from itertools import islice, pairwise

import pyarrow as pa
import pytest
import torch
from torch.utils.data import DataLoader

from platform_ml.exports import Csv, Hdf5, Npy, Parquet
from platform_ml.readers import Torch
from platform_ml.spec.errors import DeclarationError, PlatformError, RowsError
from platform_ml.spec.export import FEATURE, LABEL, ROLE
from platform_ml.testing.exports import invented
from platform_ml.testing.readers import FORMS, store

ROWS = 1_003
SCHEMA = pa.schema(
    [
        pa.field("number", pa.int64(), metadata={ROLE: FEATURE.encode()}),
        pa.field("even", pa.bool_(), metadata={ROLE: FEATURE.encode()}),
        pa.field("word", pa.string()),
        pa.field("target", pa.float64(), metadata={ROLE: LABEL.encode()}),
    ]
)
MIXED = Torch(batch_rows=16, seed=7, buffer_rows=100)


def numbered(rows=ROWS):
    return pa.Table.from_pylist(
        [{"number": n, "even": n % 2 == 0, "word": str(n), "target": float(-n)} for n in range(rows)], schema=SCHEMA
    )


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return store(Parquet(), tmp_path_factory.mktemp("rows"), numbered(), files=3, batch=50)


def numbers(batches):
    """The first feature of every row, after a look at the others."""
    found = []
    for features, label in batches:
        assert (features.dtype, label.dtype) == (torch.float32, torch.float32)
        assert torch.equal(label, -features[:, 0])
        assert torch.equal(features[:, 1], (features[:, 0] % 2 == 0).float())
        found.append([int(n) for n in features[:, 0]])
    return found


def flat(batches):
    return [n for batch in batches for n in batch]


def loader(dataset, workers, **options):
    return DataLoader(dataset, batch_size=None, num_workers=workers, **options)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
@pytest.mark.parametrize("seed", [None, 3])
def test_every_row_comes_once_from_any_format(tmp_path, form, seed):
    dataset = Torch(batch_rows=64, seed=seed).read(store(form, tmp_path, numbered(), files=2))
    found = numbers(dataset)
    assert [len(batch) for batch in found] == [64] * 15 + [43]
    assert (flat(found) == list(range(ROWS))) is (seed is None)
    assert sorted(flat(found)) == list(range(ROWS))


def test_nulls_are_nan(tmp_path):
    table = invented(100)
    (batch,) = Torch().read(store(Parquet(), tmp_path, table))
    assert batch[0].shape == (100, 4)
    expected = table["visits"].cast("float").to_numpy(zero_copy_only=False)
    assert torch.equal(batch[0][:, 0].nan_to_num(-1), torch.tensor(expected).nan_to_num(-1))
    assert batch[1].tolist() == [float(lapsed) for lapsed in table["lapsed"].to_pylist()]


def test_order_depends_on_seed_and_epoch_alone(rows):
    def order(seed, epoch):
        dataset = replace(MIXED, seed=seed).read(rows)
        dataset.set_epoch(epoch)
        return flat(numbers(dataset))

    assert order(7, 0) == order(7, 0)
    orders = [order(7, 0), order(7, 1), order(8, 0)]
    assert len({tuple(found) for found in orders}) == 3
    assert all(sorted(found) == list(range(ROWS)) for found in orders)


def test_shuffling_reaches_across_files(rows):
    first = flat(numbers(islice(MIXED.read(rows), 6)))
    assert len({n * 3 // ROWS for n in first}) > 1
    assert sum(abs(a - b) == 1 for a, b in pairwise(first)) < 10


@pytest.mark.parametrize("seed", [None, 7])
@pytest.mark.parametrize("world", [1, 3])
@pytest.mark.parametrize("workers", [0, 2])
def test_ranks_and_workers_share_the_rows(rows, seed, world, workers):
    shares = [
        flat(numbers(loader(replace(MIXED, seed=seed, rank=rank, world=world).read(rows), workers)))
        for rank in range(world)
    ]
    assert sorted(flat(shares)) == list(range(ROWS))
    assert max(map(len, shares)) - min(map(len, shares)) <= max(workers, 1)


@pytest.mark.parametrize("workers", [1, 2])
def test_equal_shares_have_as_many_batches(rows, workers):
    shares = [numbers(loader(replace(MIXED, rank=rank, world=3, equal=True).read(rows), workers)) for rank in range(3)]
    assert len({len(share) for share in shares}) == 1
    found = flat(flat(shares))
    assert len(found) == len(set(found)) == ROWS - ROWS % (3 * workers)


def test_workers_that_are_spawned_read_the_same(rows):
    spawned = numbers(loader(MIXED.read(rows), 2, multiprocessing_context="spawn"))
    assert spawned == numbers(loader(MIXED.read(rows), 2))


@pytest.mark.parametrize("form", [Parquet(), Npy(), Csv(), Hdf5()], ids=lambda form: form.name)
@pytest.mark.parametrize("seed", [None, 7])
def test_an_epoch_is_gone_on_with_after_any_batch(tmp_path, form, seed):
    stored, how = store(form, tmp_path, numbered(203), files=2, batch=30), replace(MIXED, seed=seed, buffer_rows=50)
    whole = numbers(how.read(stored))
    for done in range(len(whole) + 1):
        dataset = how.read(stored)
        assert numbers(islice(dataset, done)) == whole[:done]
        state = json.loads(json.dumps(dataset.state_dict()))
        other = how.read(stored)
        other.load_state_dict(state)
        assert numbers(other) == whole[done:]


@pytest.mark.filterwarnings("ignore:This DataLoader will create 3 worker processes")
@pytest.mark.parametrize("workers", [1, 2, 3])
def test_a_loader_with_workers_is_gone_on_with_after_any_batch(tmp_path, workers):
    stored, how = store(Parquet(), tmp_path, numbered(160), batch=30), replace(MIXED, rank=1, world=2)
    dataset = how.read(stored)
    dataset.set_epoch(4)
    whole = numbers(loader(dataset, workers))
    for done in range(len(whole) + 1):
        other = how.read(stored)
        other.load_state_dict(json.loads(json.dumps(dataset.state_after(done, workers))))
        assert numbers(loader(other, workers)) == whole[done:]


def test_a_second_pass_begins_anew(rows):
    dataset = MIXED.read(rows)
    next(iter(dataset))
    assert numbers(dataset) == numbers(dataset) == numbers(MIXED.read(rows))


def test_what_lies_before_the_position_is_not_read(tmp_path):
    stored = store(Parquet(), tmp_path, numbered(), files=3, batch=50)
    how = replace(MIXED, seed=None)
    dataset = how.read(stored)
    dataset.load_state_dict(how.read(stored).state_after(50, 0))
    stored.files[0].path.unlink()
    stored.files[1].path.unlink()
    assert flat(numbers(dataset)) == list(range(800, ROWS))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"seed": 8}, "seed 7; here it is 8"),
        ({"batch_rows": 8}, "batch_rows 16; here it is 8"),
        ({"world": 2}, "world 1; here it is 2"),
        ({"features": ("number",)}, "columns"),
    ],
)
def test_a_position_of_another_order_is_refused(rows, change, problem):
    state = MIXED.read(rows).state_dict()
    with pytest.raises(RowsError, match=problem):
        replace(MIXED, **change).read(rows).load_state_dict(state)


def test_a_position_of_other_workers_is_refused(rows):
    dataset = MIXED.read(rows)
    dataset.load_state_dict(dataset.state_after(5, 2))
    with pytest.raises(RowsError, match="taken with 2 workers"):
        next(iter(dataset))
    with pytest.raises(RowsError, match="64 batches in an epoch, not 65"):
        dataset.state_after(65, 2)


def test_persistent_workers_that_would_repeat_an_epoch_are_refused(rows):
    batches = loader(MIXED.read(rows), 1, persistent_workers=True)
    assert len(list(batches)) == 63
    with pytest.raises(RowsError, match="persistent_workers=False"):
        list(batches)


def test_few_rows_and_none(tmp_path):
    dataset = MIXED.read(store(Parquet(), tmp_path / "none", numbered(0)))
    assert list(dataset) == []
    assert flat(numbers(loader(MIXED.read(store(Parquet(), tmp_path / "one", numbered(1))), 2))) == [0]


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        ({"batch_rows": 0}, "1 at least"),
        ({"rank": 2, "world": 2}, "rank 2 is none of 2"),
        ({"seed": -1}, "seed -1 is below 0"),
    ],
)
def test_what_cannot_be_is_refused(how, problem):
    with pytest.raises(DeclarationError, match=problem):
        Torch(**how)


@pytest.mark.parametrize(
    ("how", "problem"),
    [
        ({"features": ("word",)}, "Column 'word' is string, no number"),
        ({"features": ("numbr",)}, "There is no column 'numbr'"),
        ({"features": ()}, "do not say what is a feature"),
    ],
)
def test_columns_that_are_no_tensor_are_refused(rows, how, problem):
    with pytest.raises(RowsError, match=problem):
        Torch(**how).read(rows)


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [("target", None, "Label 'target' is null"), ("number", 1e300, "Feature 'number' has values beyond 3.4e38")],
)
def test_values_that_no_model_learns_from_are_refused(tmp_path, column, value, problem):
    place = SCHEMA.get_field_index(column)
    spoilt = numbered(3).set_column(
        place, SCHEMA.field(place).with_type(pa.float64()), pa.array([1.0, value, 2.0], pa.float64())
    )
    with pytest.raises(RowsError, match=problem):
        list(Torch().read(store(Parquet(), tmp_path, spoilt)))


def test_without_its_library_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.data", None)
    with pytest.raises(PlatformError, match=r"needs torch.utils.data, .* Run: pip install 'platform_ml\[deep\]'"):
        Torch().read(store(Parquet(), tmp_path, invented(5)))
