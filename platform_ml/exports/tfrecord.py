"""TFRecord files of tf.train.Example."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from platform_ml.exports.plain import array, is_text, nulls, numbers
from platform_ml.exports.schema import BATCH, after, bare, checked, chosen, load_sidecar, save_sidecar
from platform_ml.spec.errors import StoreError
from platform_ml.spec.libraries import library

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    import pyarrow as pa

LENGTH, CRC = struct.Struct("<Q"), struct.Struct("<I")
MASK, WORD = 0xA282EAD8, 0xFFFFFFFF
LONGEST = 2**31 - 1
"""Bytes of a protocol buffer."""
KINDS = {"BytesList": 12, "FloatList": 2, "Int64List": 3}
"""Message → protobuf type of its values: bytes, float, int64."""


@dataclass(frozen=True, kw_only=True)
class TFRecord:
    """A tf.train.Example a row, with a feature of one value per column and none where it is null.

    Whole numbers and booleans are int64; moments are int64 microseconds and dates int64 days since 1970 in UTC;
    decimals are int64 to be divided by 10^scale (text beyond 18 digits); text is UTF-8 bytes; fractions are float.
    The types are in `schema.json`. Each record carries the masked CRC-32C of its length and of its bytes, as
    TensorFlow defines them (tensorflow/core/lib/io/record_writer.h), and both are checked on reading. Needs
    google-crc32c and protobuf: `pip install 'platform_ml[tfrecord]'`.
    """

    name: ClassVar[str] = "tfrecord"
    suffix: ClassVar[str] = ".tfrecord"
    loses: ClassVar[Mapping[str, str]] = {
        "double": "tf.train.Example has floats of 32 bits only: about 7 digits are kept, beyond 3.4e38 it is infinite."
    }

    def write(self, batches: Iterable[pa.RecordBatch], schema: pa.Schema, path: Path) -> int:
        """The same rows make the same bytes."""
        import numpy as np

        example, crc = _example(), _crc()
        rows, plain = 0, bare(schema)
        kinds = [(field.name, _kind(field.type)) for field in plain]
        save_sidecar(path, plain)
        with path.open("wb") as file, np.errstate(over="ignore"):
            for batch in checked(batches, plain):
                for row in zip(*(_values(column) for column in batch.columns), strict=True):
                    record = example()
                    feature = record.features.feature
                    for (name, kind), value in zip(kinds, row, strict=True):
                        if value is not None:
                            getattr(feature[name], kind).value.append(value)
                    _frame(file, record.SerializeToString(deterministic=True), crc)
                rows += batch.num_rows
        return rows

    def read(self, path: Path, *, first: int = 0, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Some thousand records at a time."""
        yield from after(_batches(path, chosen(load_sidecar(path), columns)), first)

    def blocks(self, path: Path, rows: int) -> list[int]:
        """One: where a record begins is known only from the beginning."""
        return [rows]


def _batches(path: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    example = _example()
    kinds = [(field.name, _kind(field.type)) for field in schema]
    cells: list[list[Any]] = [[] for _ in kinds]

    def batch() -> pa.RecordBatch:
        made = [_typed(values, field.type) for values, field in zip(cells, schema, strict=True)]
        for values in cells:
            values.clear()
        return pa.RecordBatch.from_arrays(made, schema=schema)

    for number, data in enumerate(records(path), 1):
        feature = example.FromString(data).features.feature
        for (name, kind), values in zip(kinds, cells, strict=True):
            values.append(getattr(feature[name], kind).value[0] if name in feature else None)
        if not number % BATCH:
            yield batch()
    if cells[0]:
        yield batch()


def records(path: Path) -> Iterator[bytes]:
    """The bytes of each record; `StoreError` where a checksum does not fit or the file ends too early."""
    crc = _crc()
    with path.open("rb") as file:
        number = 0
        while head := file.read(LENGTH.size + CRC.size):
            number += 1
            where = f"{path}, record {number}:"
            if len(head) < LENGTH.size + CRC.size:
                raise StoreError(f"{where} the file ends within it. Export it again.")
            length, expected = LENGTH.unpack_from(head)[0], CRC.unpack_from(head, LENGTH.size)[0]
            if _masked(crc(head[: LENGTH.size])) != expected or length > LONGEST:
                raise StoreError(f"{where} the checksum of its length does not fit. Export it again.")
            data, end = file.read(length), file.read(CRC.size)
            if len(data) < length or len(end) < CRC.size:
                raise StoreError(f"{where} the file ends within it. Export it again.")
            if _masked(crc(data)) != CRC.unpack(end)[0]:
                raise StoreError(f"{where} its checksum does not fit. Export it again.")
            yield data


def _frame(file: BinaryIO, data: bytes, crc: Callable[[bytes], int]) -> None:
    length = LENGTH.pack(len(data))
    file.write(length + CRC.pack(_masked(crc(length))) + data + CRC.pack(_masked(crc(data))))


def _masked(crc: int) -> int:
    return (((crc >> 15) | (crc << 17)) + MASK) & WORD


def _crc() -> Callable[[bytes], int]:
    found: Callable[[bytes], int] = library("google_crc32c", extra="tfrecord", user="TFRecord").value
    return found


@cache
def _example() -> Any:
    """The message class, in a pool of its own so that TensorFlow may be loaded beside it.

    Source: tensorflow/core/example/example.proto and feature.proto.
    """
    descriptor_pb2, descriptor_pool, message_factory = (
        library(f"google.protobuf.{module}", extra="tfrecord", user="TFRecord")
        for module in ("descriptor_pb2", "descriptor_pool", "message_factory")
    )
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="tensorflow", syntax="proto3")
    for message, values in KINDS.items():
        file.message_type.add(name=message).field.add(name="value", number=1, label=field.LABEL_REPEATED, type=values)
    feature = file.message_type.add(name="Feature")
    feature.oneof_decl.add(name="kind")
    for number, (name, kind) in enumerate(
        (("bytes_list", "Bytes"), ("float_list", "Float"), ("int64_list", "Int64")), 1
    ):
        feature.field.add(
            name=name,
            number=number,
            label=field.LABEL_OPTIONAL,
            type=field.TYPE_MESSAGE,
            type_name=f".tensorflow.{kind}List",
            oneof_index=0,
        )
    features = file.message_type.add(name="Features")
    entry = features.nested_type.add(name="FeatureEntry")
    entry.options.map_entry = True
    entry.field.add(name="key", number=1, label=field.LABEL_OPTIONAL, type=field.TYPE_STRING)
    of_type = {"label": field.LABEL_OPTIONAL, "type": field.TYPE_MESSAGE}
    entry.field.add(name="value", number=2, type_name=".tensorflow.Feature", **of_type)
    features.field.add(
        name="feature",
        number=1,
        label=field.LABEL_REPEATED,
        type=field.TYPE_MESSAGE,
        type_name=".tensorflow.Features.FeatureEntry",
    )
    example = file.message_type.add(name="Example")
    example.field.add(name="features", number=1, type_name=".tensorflow.Features", **of_type)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("tensorflow.Example"))


def _kind(kind: pa.DataType) -> str:
    from pyarrow import types

    return "bytes_list" if is_text(kind) else "float_list" if types.is_floating(kind) else "int64_list"


def _values(column: pa.Array) -> list[Any]:
    import numpy as np

    if is_text(column.type):
        return [None if word is None else word.encode() for word in column.cast("string").to_pylist()]
    values = numbers(column)
    plain = values.astype(np.float32 if values.dtype.kind == "f" else np.int64).tolist()
    missing = nulls(column).tolist()
    return [None if gone else value for value, gone in zip(plain, missing, strict=True)]


def _typed(values: list[Any], kind: pa.DataType) -> pa.Array:
    import numpy as np
    from pyarrow import types

    missing = np.array([value is None for value in values], bool)
    if is_text(kind):
        return array(["" if value is None else value.decode() for value in values], missing, kind)
    dtype = np.float64 if types.is_floating(kind) else np.int64
    found = np.array([0 if value is None else value for value in values], dtype)
    if types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind):
        found = found.astype(kind.to_pandas_dtype())
    return array(found, missing, kind)
