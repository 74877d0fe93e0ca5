"""The Dagster instance of a checkout: everything that it stores lies below data/dagster, wherever one stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from dagster import DagsterInstance
from dagster._core.instance.ref import InstanceRef
from dagster._serdes import ConfigurableClassData

if TYPE_CHECKING:
    from collections.abc import Mapping

HOME = Path("data", "dagster")
"""Relative to DAGSTER_HOME. Dagster takes relative folders in dagster.yaml from where one happens to stand."""


class LocalInstance(DagsterInstance):
    """Dagster's defaults in another folder, with our event log; what dagster.yaml names itself still wins."""

    @staticmethod
    def config_schema() -> Mapping[str, Any]:
        """No settings of its own."""
        return {}

    @staticmethod
    def config_defaults(base_dir: str) -> Mapping[str, ConfigurableClassData | None]:
        """Where Dagster keeps what, when dagster.yaml does not say."""
        home = Path(base_dir, HOME)
        home.mkdir(parents=True, exist_ok=True)
        defaults = dict(InstanceRef.config_defaults(str(home)))
        defaults["event_log_storage"] = ConfigurableClassData(
            "platform_ml.orchestration.event_log",
            "KeptOpenSqliteEventLogStorage",
            yaml.safe_dump({"base_dir": str(home / "history" / "runs")}),
        )
        defaults["storage"] = ConfigurableClassData(
            "dagster._core.storage.legacy_storage",
            "CompositeStorage",
            yaml.safe_dump({name: _nested(defaults[name]) for name in _PARTS}),
        )
        return defaults


_PARTS = ("run_storage", "event_log_storage", "schedule_storage")


def _nested(part: ConfigurableClassData | None) -> dict[str, str]:
    if part is None:
        raise ValueError("Dagster has lost the default of a storage. Install the dagster that requirements.lock pins.")
    return {"module_name": part.module_name, "class_name": part.class_name, "config_yaml": part.config_yaml}
