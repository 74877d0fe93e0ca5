import os

from platform_ml.engine.feed import feed_of, landing_file, origin_of, state_of
from platform_ml.origins import Files
from platform_ml_tests.engine.feeds import DAY, MANY, ONE, load, put
from platform_ml_tests.engine.shop import orders


def test_a_source_comes_from_the_landing_folder_unless_it_says_otherwise(work):
    assert origin_of(orders) == Files()
    assert origin_of(MANY) is MANY.origin
    assert landing_file(orders, DAY, work) == work.platform.landing / f"shop/orders/{DAY}.parquet"
    assert feed_of(orders, work).name == "shop/orders"


def test_what_is_as_it_was_loaded_is_not_read(work):
    file = put(work, f"{DAY}.csv", [1])
    whole = state_of(ONE, DAY, None, work)
    loaded = load(work, ONE, DAY).snapshot.partitions[DAY]
    times = file.stat()
    file.write_bytes(b"\0" * times.st_size)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert state_of(ONE, DAY, loaded, work) == whole == loaded.inputs
    os.utime(file)
    assert state_of(ONE, DAY, loaded, work) == state_of(ONE, DAY, None, work) != whole
    file.unlink()
    assert state_of(ONE, DAY, loaded, work) is None
