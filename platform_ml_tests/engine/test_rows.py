from dataclasses import replace

import numpy as np

from platform_ml.testing.families import invented


def test_thinned_rows_are_evenly_spread_and_belong_together():
    rows = replace(invented(1, rows=400), weight=np.arange(400.0))
    rows.cache["matrix"] = "kept"
    some = rows.thinned(100)
    assert some.entity.tolist() == some.weight.tolist()
    assert (some.entity[0], some.entity[-1]) == (0, 399)
    assert set(np.diff(some.entity)) == {4, 5}
    assert some.features.column("noise").to_pylist() == [rows.features["noise"][at].as_py() for at in some.entity]
    assert some.label.tolist() == rows.label[some.entity].tolist()
    assert (len(some.event_time), some.helpers.num_rows, some.cache) == (100, 0, {})


def test_few_rows_stay_as_they_are():
    rows = invented(1, rows=50)
    assert rows.thinned(60).label.tolist() == rows.label.tolist()
