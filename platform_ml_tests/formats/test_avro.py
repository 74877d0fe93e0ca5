from decimal import Decimal

import fastavro
import pyarrow as pa
import pytest

from platform_ml.formats import Avro
from platform_ml.spec.errors import SourceError
from platform_ml.testing.formats import FormatContract, rows

TYPES = {
    "int64": "long",
    "string": "string",
    "double": "double",
    "bool": "boolean",
    "decimal128(9, 2)": {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
    "timestamp[us, tz=UTC]": {"type": "long", "logicalType": "timestamp-micros"},
}


def write(file, rows, codec="null", kinds=None):
    fields = [{"name": field.name, "type": ["null", TYPES[str(field.type)]]} for field in rows.schema]
    fields = [field | {"type": (kinds or {}).get(field["name"], field["type"])} for field in fields]
    with file.open("wb") as stream:
        fastavro.writer(stream, {"type": "record", "name": "Row", "fields": fields}, rows.to_pylist(), codec=codec)


class TestAvro(FormatContract):
    @pytest.fixture
    def form(self):
        return Avro()

    def write(self, file, rows):
        write(file, rows)

    def test_compressed(self, form, work):
        file = self.deliver(form, work, rows(50))
        write(file, rows(50), codec="deflate")
        assert self.found(form, work).accepted.equals(rows(50))

    def test_any_flipped_byte_is_survived(self, form, work):
        file = self.deliver(form, work, rows(20))
        whole = file.read_bytes()
        for at in range(0, len(whole), 37):
            file.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
            try:
                assert self.found(form, work).accepted.num_rows <= 20
            except SourceError as error:
                assert "arrivals.avro cannot be read" in str(error)  # noqa: PT017 - some bytes change a value only

    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            ({"type": "array", "items": "long"}, [1, 2]),
            ({"type": "map", "values": "string"}, {"a": "b"}),
            ({"type": "record", "name": "Inner", "fields": [{"name": "a", "type": "int"}]}, {"a": 1}),
            ({"type": "enum", "name": "Kind", "symbols": ["A"]}, "A"),
            ({"type": "int", "logicalType": "date"}, None),
            ({"type": "fixed", "name": "Two", "size": 2}, b"ab"),
            ({"type": "long", "logicalType": "local-timestamp-millis"}, None),
            ("float", 1.5),
        ],
        ids=str,
    )
    def test_other_columns_may_be_of_any_type(self, form, work, kind, value):
        file = self.deliver(form, work, rows(3))
        more = rows(3).append_column("more", pa.array([value] * 3))
        write(file, more, kinds={"more": ["null", kind]}) if str(more["more"].type) in TYPES else self.other(
            file, kind, value
        )
        assert self.found(form, work).accepted.num_rows == 3

    def other(self, file, kind, value):
        plain = [row | {"more": value} for row in rows(3).to_pylist()]
        fields = [{"name": field.name, "type": ["null", TYPES[str(field.type)]]} for field in rows(1).schema]
        schema = {"type": "record", "name": "Row", "fields": [*fields, {"name": "more", "type": ["null", kind]}]}
        with file.open("wb") as stream:
            fastavro.writer(stream, schema, plain)

    def test_a_union_of_types_is_no_column(self, form, work):
        file = self.deliver(form, work, rows(1))
        self.other(file, "long", 1)
        fields = [{"name": "n", "type": ["null", "long", "string"]}]
        with file.open("wb") as stream:
            fastavro.writer(stream, {"type": "record", "name": "Row", "fields": fields}, [{"n": 1}, {"n": "a"}])
        with pytest.raises(SourceError, match=r"a union of \['long', 'string'\] is no column"):
            self.found(form, work)

    def test_decimals_are_exact(self, form, work):
        exact = rows(2).set_column(3, "amount", pa.array([Decimal("9999999.99"), Decimal("-0.01")]))
        self.deliver(form, work, exact.cast(rows(1).schema))
        assert self.found(form, work).accepted["amount"].to_pylist() == [Decimal("9999999.99"), Decimal("-0.01")]
