"""Whether rows can be learned from: looked at once, before any family sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from platform_ml.spec.errors import RowsError
from platform_ml.spec.task import BINARY, CLUSTERING, RANKING
from platform_ml.spec.training_dataset import TRAIN, VALIDATION

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pyarrow as pa

    from platform_ml.engine.rows import SplitRows
    from platform_ml.spec.tuned_model import TunedModel

LEAST = 20
"""Rows of a split below which every number about it is luck."""
SHOWN = 3
MOST_CLASSES = 1_000


def check_rows(model: TunedModel, splits: Mapping[str, SplitRows], *, project: str) -> None:
    """Refuse rows that no model should be made of.

    Raises:
        RowsError: Naming project, model, dataset and feature, with all that is wrong: too few rows, labels of one
            class or of one value, labels or features that are not finite, a feature without a value, of one value,
            equal to another one, or twice there.
    """
    where = f"{project}/{model.name} cannot learn from dataset {model.dataset.name!r}"
    wrong = [text for split in (TRAIN, VALIDATION) for text in label_faults(splits[split], split)]
    train = splits[TRAIN]
    names = train.features.column_names
    wrong += [f"it has feature {name!r} twice" for name in sorted({name for name in names if names.count(name) > 1})]
    if not wrong:
        for split in (TRAIN, VALIDATION):
            wrong += [text for name in names for text in _feature(splits[split].features, name, split)]
        wrong += [
            f"feature {name!r} is {value} in all {len(train.label):,} training rows; drop it"
            for name, value in _same(train)
        ]
        wrong += [
            f"features {first!r} and {second!r} are equal in all training rows; drop one"
            for first, second in _twins(train)
        ]
    if wrong:
        more = f" And {len(wrong) - SHOWN} more." if len(wrong) > SHOWN else ""
        raise RowsError(f"{where}: {'; '.join(wrong[:SHOWN])}.{more} Nothing was trained or registered.")


def label_faults(rows: SplitRows, split: str) -> Iterator[str]:
    """Why nothing can be learned from, or judged on, the labels of a split."""
    import numpy as np

    count = len(rows.label)
    if count < LEAST:
        yield f"its {split} split has {count or 'no'} rows, and {LEAST} are the least; widen history or splits"
        return
    found = np.unique(rows.label)
    if not np.isfinite(found).all():
        yield f"a label of its {split} split is {found[~np.isfinite(found)][0]}; look at what the outcome is made of"
    elif rows.task is BINARY and not np.isin(found, (0.0, 1.0)).all():
        yield f"a label of its {split} split is {found[~np.isin(found, (0.0, 1.0))][0]:g}, not 0 or 1"
    elif rows.task is RANKING and found[0] < 0:
        yield f"a label of its {split} split is {found[0]:g}, but a relevance is 0 or more"
    elif found.size == 1 and rows.task is not CLUSTERING:
        kind = "With one class there is nothing to tell apart" if rows.task.in_classes else "There is nothing to learn"
        one = repr(rows.classes[int(found[0])]) if rows.classes else f"{found[0]:g}"
        yield f"all {count:,} labels of its {split} split are {one}. {kind}: widen the split"
    elif len(rows.classes) > MOST_CLASSES:
        yield f"its label has {len(rows.classes):,} classes, a name rather than a class; derive a coarser one"
    elif rows.group is not None and len(np.unique(rows.group)) == count:
        yield f"each row of its {split} split is a group of its own: there is nothing to rank; look at ranked_within"


def _feature(rows: pa.Table, name: str, split: str) -> Iterator[str]:
    import pyarrow as pa
    import pyarrow.compute as pc

    values = rows[name]
    if split == TRAIN and values.null_count == len(rows):
        yield f"feature {name!r} is null in all {len(rows):,} rows of its {split} split; look at its source, or drop it"
    elif pa.types.is_list(values.type) and pc.any(pc.is_inf(pc.list_flatten(values))).as_py():
        yield f"feature {name!r} has infinite values in lists of its {split} split; look for a division by zero"
    elif _is_float(values) and (count := pc.sum(pc.is_inf(values)).as_py()):
        yield f"feature {name!r} is infinite in {count:,} rows of its {split} split; look for a division by zero"


def _same(train: SplitRows) -> Iterator[tuple[str, object]]:
    """Features of one value, with it; a null beside it is a second one. Lists are not compared."""
    import pyarrow.compute as pc

    for name in _single(train):
        values = train.features[name]
        if values.null_count == 0 and pc.all(pc.equal(values, values[0])).as_py():
            yield name, values[0].as_py()


def _single(train: SplitRows) -> list[str]:
    """The features that have one value a row."""
    import pyarrow as pa

    return [field.name for field in train.features.schema if not pa.types.is_list(field.type)]


def _twins(train: SplitRows) -> Iterator[tuple[str, str]]:
    """Features that say the same in every row; one that always says the same, or nothing, is found elsewhere."""
    import pyarrow.compute as pc

    constant = {name for name, _ in _same(train)}
    seen: dict[tuple[object, ...], list[str]] = {}
    for name in _single(train):
        values = train.features[name]
        if name in constant or values.null_count == len(values):
            continue
        # Only columns with the same sum can be equal: the dear comparison is for those alone.
        mark = (str(values.type), values.null_count, _mark(values))
        for other in seen.setdefault(mark, []):
            if pc.all(pc.equal(values, train.features[other])).as_py() is not False and _nulls_alike(
                values, train.features[other]
            ):
                yield other, name
                break
        seen[mark].append(name)


def _nulls_alike(one: pa.ChunkedArray, other: pa.ChunkedArray) -> bool:
    import pyarrow.compute as pc

    return bool(pc.all(pc.equal(pc.is_null(one), pc.is_null(other))).as_py())


def _mark(values: pa.ChunkedArray) -> object:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return pc.sum(values).as_py()
    return pc.count_distinct(values).as_py()


def _is_float(values: pa.ChunkedArray) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_floating(values.type))
