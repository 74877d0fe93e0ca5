import json
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import pytest

from platform_ml.engine.delivery import read
from platform_ml.engine.feed import landing_file
from platform_ml.engine.ports import WHOLE
from platform_ml.formats import JSONLines
from platform_ml.spec.errors import SourceError
from platform_ml.testing.formats import FormatContract, arrivals, work_in


def plain(value):
    """As JSON has it: what it has no word for is text."""
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else value


class TestJSONLines(FormatContract):
    lined = True

    @pytest.fixture
    def form(self):
        return JSONLines()

    def write(self, file, rows):
        lines = [json.dumps({name: plain(value) for name, value in row.items()}) for row in rows.to_pylist()]
        file.write_text("\n".join([*lines, ""]) or "\n", encoding="utf-8")


@pytest.fixture
def work(tmp_path):
    return work_in(tmp_path)


def found(work, content, form=None):
    source = replace(arrivals, format=form or JSONLines())
    file = landing_file(source, WHOLE, work)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read(source, WHOLE, work=work)


WHOLE_ROW = (
    '{"n":1,"shopper":null,"item":"a","amount":1.5,"pieces":"2","seen_at":"2024-01-01T00:00Z","weight":1,"paid":true}'
)


def test_numbers_may_be_numbers_or_text_and_what_is_not_there_is_null(work):
    accepted = found(work, f'{WHOLE_ROW}\n{{"n":2}}\n').accepted.to_pylist()
    assert (accepted[0]["amount"], accepted[0]["pieces"], accepted[0]["weight"]) == (Decimal("1.50"), 2, 1.0)
    assert [value for name, value in accepted[1].items() if name != "n"] == [None] * 7


@pytest.mark.parametrize(
    ("value", "reasons"),
    [
        ('{"n":2,"item":5}', "item is no text"),
        ('{"n":2,"item":{"a":1}}', "item is no text"),
        ('{"n":2,"paid":"true"}', "paid is neither true nor false"),
        ('{"n":2,"paid":1}', "paid is neither true nor false"),
        ('{"n":2,"pieces":true}', "pieces is no number; pieces is not a BIGINT"),
        ('{"n":2,"pieces":1.5}', "pieces has more than 0 digits after the point"),
        ('{"n":2,"pieces":9223372036854775808}', "pieces is not a BIGINT"),
        ('{"n":2,"weight":NaN}', "weight is not a finite number"),
        ('{"n":2,"weight":Infinity}', "weight is not a finite number"),
        ('{"n":2,"weight":1e999}', "weight is not a finite number"),
        ('{"n":2,"amount":1.005}', "amount has more than 2 digits after the point"),
        ('{"n":2,"amount":1.1000000000000003}', "have it delivered as text; amount has more than 2 digits"),
        ('{"n":2,"seen_at":1704067200}', "seen_at is no text; seen_at is not a TIMESTAMPTZ"),
        ('{"n":2,"n":3}', "the row has a key twice"),
        ("[2]", "the row is no JSON object; n is null"),
        ("null", "the row is no JSON object; n is null"),
        ('{"n":2', "the row is no JSON: Expecting ',' delimiter"),
        ("{'n':2}", "the row is no JSON: Expecting property name"),
        ('{"n":2} {"n":3}', "the row is no JSON: Extra data"),
        (b'{"n":2,"item":"\xe4"}', "the row is not utf-8 text"),
        (b'{"n":2,"item":"\0"}', "the row is no JSON: Invalid control character"),
        ("[" * 100_000, "the row is nested too deeply"),
        ('{"n":2,"item":"\\u0000"}', "item holds a NUL"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_bad_line_is_kept_as_it_came(work, value, reasons):
    raw = value if isinstance(value, bytes) else value.encode()
    delivery = found(work, WHOLE_ROW.encode() + b"\n\n" + raw + b"\n" + WHOLE_ROW.replace('"n":1', '"n":9').encode())
    assert delivery.accepted["n"].to_pylist() == [1, 9]
    (kept,) = delivery.rejected.to_pylist()
    assert (kept["row_number"], kept["line"]) == (1, 3)
    assert reasons in kept["reasons"]
    assert kept["record"].encode() == raw.replace(b"\xe4", b"\\xe4").replace(b"\0", b"\0")


def test_an_empty_file_is_a_delivery_only_where_it_is_declared(work):
    with pytest.raises(SourceError, match="cannot be read: it is empty"):
        found(work, b"")
    assert found(work, b"", JSONLines(may_be_empty=True)).accepted.num_rows == 0


def test_a_mark_of_utf_8(work):
    assert found(work, b"\xef\xbb\xbf" + WHOLE_ROW.encode() + b"\n").accepted.num_rows == 1
