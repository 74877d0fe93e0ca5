import sys
from dataclasses import replace

import numpy as np

from platform_ml.engine.conditions import conditions, differing, here
from platform_ml.engine.declaration_diff import declaration_changes
from platform_ml.engine.seeds import seeds
from platform_ml.spec.fingerprint import meaning
from platform_ml.testing.declarations import lapse_model


def test_a_record_holds_the_whole_declaration_and_every_seed():
    found = conditions(lapse_model)
    assert found["declaration"] == meaning(lapse_model)
    assert found["seeds"] == seeds(lapse_model.seed)
    changed = replace(lapse_model, seed=9)
    assert declaration_changes(found["declaration"], meaning(changed)) == ["TunedModel lapse_model: seed: 0 → 9"]


def test_libraries_are_those_that_were_loaded(monkeypatch):
    monkeypatch.delitem(sys.modules, "catboost", raising=False)
    libraries = here()["libraries"]
    assert libraries["numpy"] == np.__version__
    assert "catboost" not in libraries


def test_what_differs_is_said_and_the_rest_is_not(monkeypatch):
    then = here()
    assert differing(then, here()) == []
    monkeypatch.setenv("PLATFORM_ML_DEVICE", "cuda:1")
    monkeypatch.setenv("OMP_NUM_THREADS", "64")
    found = differing(then | {"libraries": {"numpy": "1.0", "unknown": "2"}}, here())
    assert found[0] == f"device: {then['device']} → cuda:1"
    assert found[1].startswith(f"threads: {then['threads']} → OMP_NUM_THREADS=64")
    assert found[2:] == [f"numpy: 1.0 → {np.__version__}"]


def test_records_of_before_say_nothing():
    assert differing({}, here()) == []
