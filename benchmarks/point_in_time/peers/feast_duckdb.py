"""Feast's historical features from its DuckDB offline store, without time to live.

Declaring and applying the feature views is preparation and costs nothing here.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from cases import ENTITY, TIME
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Float64

if TYPE_CHECKING:
    import pyarrow as pa
    from cases import Case


def prepare(case: Case) -> FeatureStore:
    """A store with one feature view a group."""
    folder = Path(case.scratch)
    config = RepoConfig(
        project="bench",
        registry=str(folder / "registry.db"),
        provider="local",
        offline_store={"type": "duckdb"},
        online_store=None,
        entity_key_serialization_version=3,
    )
    store = FeatureStore(config=config)
    entity = Entity(name=ENTITY, join_keys=[ENTITY], value_type=ValueType.INT64)
    views = [
        FeatureView(
            name=f"g{number}",
            entities=[entity],
            ttl=timedelta(0),
            schema=[Field(name=name, dtype=Float64) for name in case.values(number)],
            source=FileSource(name=f"file{number}", path=file, timestamp_field=TIME),
            online=False,
        )
        for number, file in enumerate(case.groups)
    ]
    store.apply([entity, *views])
    return store


def plain(case: Case, store: FeatureStore) -> pa.Table:
    """Rows come in any order."""
    features = [f"g{number}:{name}" for number in range(len(case.groups)) for name in case.values(number)]
    return store.get_historical_features(entity_df=pd.read_parquet(case.spine), features=features).to_arrow()


def rows(answer: pa.Table) -> pa.Table:
    """The answer is Arrow already."""
    return answer
