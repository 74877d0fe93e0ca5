"""Any other rule in pandera."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.spec.check import DataCheck, Judgement, check_share
from platform_ml.spec.errors import DeclarationError, PlatformError, did_you_mean
from platform_ml.spec.naming import check_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd
    import pyarrow as pa

    from platform_ml.spec.check import Seen

PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
SHOWN = 3
"""Failures that are shown with column and key."""
SEED = 20


@dataclass(frozen=True)
class PanderaRule(DataCheck):
    """Every row obeys a schema of pandera, and so does the partition as a whole.

    `schema` is where the schema is: "package.module:name" of a DataFrameSchema, of a DataFrameModel, or of a function
    without parameters that gives one of them. It is imported when the check runs, so a module that declares should not
    import pandera at its top, but inside the function.

    pandera sees a pandas frame with Arrow types: one row for each row of the partition, no partition column. Of a
    partition with more than `most_rows` rows it sees so many, drawn by place: equal partitions, equal samples. What
    is rarer than that can be missed, and what the schema says of all rows together it says of the sample.
    """

    called: str
    schema: str
    max_share: float = field(default=0.0, kw_only=True)
    """The share of rows that may break it; what is wrong with the partition as a whole is never allowed."""
    most_rows: int = field(default=1_000_000, kw_only=True)
    blocking: bool = field(default=False, kw_only=True)
    reads_rows: ClassVar[bool] = True

    def __post_init__(self) -> None:
        where = f"PanderaRule {self.called!r}"
        check_name("PanderaRule", self.called)
        check_share(where, "max_share", self.max_share)
        if self.most_rows < 1:
            raise DeclarationError(f"{where}: most_rows={self.most_rows} looks at nothing. Use 1 or more.")
        if not PATH.fullmatch(self.schema):
            raise DeclarationError(f"{where}: {self.schema!r} is no path. Write 'package.module:name' of a schema.")
        module = self.schema.partition(":")[0]
        if missing := _missing(module):
            raise DeclarationError(f"{where}: there is no module {missing!r}. Mend the path {self.schema!r}.")

    @property
    def name(self) -> str:
        """What it is called."""
        return self.called

    @property
    def rule(self) -> str:
        """The rule as a sentence."""
        return f"At most {self.max_share:.2%} of the rows break the pandera schema {self.schema}."

    def inspect(self, rows: pa.Table, key: Sequence[str]) -> Mapping[str, Any]:
        """Validate lazily: how many rows were seen and fail, all failures, and the first of them in words."""
        import pandas as pd
        import pandera.errors

        frame = sampled(rows, self.most_rows).to_pandas(types_mapper=pd.ArrowDtype)
        schema, cases = self._load(), None
        try:
            schema.validate(frame, lazy=True)
        except pandera.errors.SchemaErrors as error:
            cases = error.failure_cases
        except (pandera.errors.SchemaDefinitionError, pandera.errors.SchemaInitError) as error:
            raise PlatformError(f"PanderaRule {self.called!r}: {self.schema} is no valid schema: {error}") from error
        if cases is None:
            return {"seen": len(frame), "bad": 0, "whole": 0, "cases": 0, "first": ""}
        of_rows = cases["index"].notna()
        first = [_said(case, frame, key) for case in cases.head(SHOWN).to_dict("records")]
        return {
            "seen": len(frame),
            "bad": int(cases["index"][of_rows].nunique()),
            "whole": int((~of_rows).sum()),
            "cases": len(cases),
            "first": "; ".join(first),
        }

    def judge(self, seen: Seen) -> Judgement:
        """Compare the share of rows that fail; a partition without rows passes."""
        found, rows = seen.numbers, seen.statistics.rows
        if not found:
            return Judgement(passed=True, reason="No rows.")
        share = found["bad"] / found["seen"] if found["seen"] else 0.0
        of = f"{found['seen']:,} rows" if found["seen"] == rows else f"a sample of {found['seen']:,} of {rows:,} rows"
        more = f", the first of {found['cases']:,} failures: {found['first']}" if found["cases"] else ""
        reason = f"{found['bad']:,} of {of} ({share:.2%}, allowed {self.max_share:.2%}) break {self.schema}{more}."
        numbers = {"rows": found["bad"], "share": share, "failures": found["cases"]}
        return Judgement(passed=share <= self.max_share and not found["whole"], reason=reason, numbers=numbers)

    def _load(self) -> Any:
        import importlib

        import pandera.pandas as pa_pandas

        where, (module, _, names) = f"PanderaRule {self.called!r}", self.schema.partition(":")
        try:
            found: Any = importlib.import_module(module)
        except Exception as error:
            raise PlatformError(f"{where}: {module} cannot be imported: {error!r}. Mend it, or the path.") from error
        for name in names.split("."):
            if not hasattr(found, name):
                near = did_you_mean(name, vars(found))
                raise PlatformError(f"{where}: there is no {name!r} in {self.schema!r}.{near} Mend the path.")
            found = getattr(found, name)
        if callable(found) and not isinstance(found, type | pa_pandas.DataFrameSchema):
            try:
                found = found()
            except Exception as error:
                raise PlatformError(f"{where}: {self.schema} cannot be called: {error!r}. Mend it.") from error
        if isinstance(found, type) and issubclass(found, pa_pandas.DataFrameModel):
            found = found.to_schema()
        if not isinstance(found, pa_pandas.DataFrameSchema):
            raise PlatformError(
                f"{where}: {self.schema} is a {type(found).__name__}. Name a DataFrameSchema, a DataFrameModel or a "
                "function that gives one."
            )
        return found


def _missing(module: str) -> str:
    """The part of a dotted path that is not there; empty when all of it is. Nothing is imported but by its name."""
    from importlib.machinery import PathFinder
    from importlib.util import find_spec

    top, *rest = module.split(".")
    found, path = find_spec(top), top
    for name in rest:
        inside = found.submodule_search_locations if found else None
        if inside is None:
            return path if found is None else f"{path}.{name}"
        path = f"{path}.{name}"
        found = PathFinder.find_spec(path, inside)
    return "" if found else path


def sampled(rows: pa.Table, most: int) -> pa.Table:
    """At most so many rows, in their order; equal rows, equal samples."""
    if rows.num_rows <= most:
        return rows
    import numpy as np
    import pyarrow as pa

    chosen = np.random.default_rng(SEED).choice(rows.num_rows, most, replace=False, shuffle=False)
    return rows.take(pa.array(np.sort(chosen)))


def _said(case: Mapping[str, Any], frame: pd.DataFrame, key: Sequence[str]) -> str:
    """One failure: column, rule, value, and which row."""
    where = case["column"] or "the rows"
    if case["index"] is None or case["index"] != case["index"]:
        return f"{where} breaks {case['check']}: {case['failure_case']}"
    row = frame.loc[case["index"], [name for name in key if name in frame]]
    which = ", ".join(f"{name}={value}" for name, value in row.items()) or f"row {case['index']}"
    return f"{where} breaks {case['check']}: {case['failure_case']} ({which})"
