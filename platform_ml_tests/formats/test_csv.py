import csv
from dataclasses import replace

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some
from pyarrow.csv import write_csv

from platform_ml.engine.delivery import read
from platform_ml.engine.feed import landing_file
from platform_ml.engine.ports import WHOLE
from platform_ml.formats import CSV
from platform_ml.spec.errors import DeclarationError, SourceError
from platform_ml.spec.schema import Column, Decimal, Double, Integer, Text
from platform_ml.spec.source import Source
from platform_ml.testing.formats import FormatContract, work_in

NOTES = Source(
    name="notes",
    description="Short.",
    format=CSV(),
    columns=(Column("n", Integer()), Column("note", Text(), nullable=True)),
    key=("n",),
    max_rejected_share=1.0,
)


class TestCSV(FormatContract):
    lined = True

    @pytest.fixture
    def form(self):
        return CSV()

    def write(self, file, rows):
        write_csv(rows, file)


@pytest.fixture
def work(tmp_path):
    return work_in(tmp_path)


def found(work, content, form=None, source=NOTES):
    """(accepted as tuples, rejected as (row, line, reasons, record))."""
    source = replace(source, format=form or CSV())
    file = landing_file(source, WHOLE, work)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    delivery = read(source, WHOLE, work=work)
    kept = [(row["row_number"], row["line"], row["reasons"], row["record"]) for row in delivery.rejected.to_pylist()]
    return [tuple(row.values()) for row in delivery.accepted.to_pylist()], kept


def test_lines_that_cannot_be_divided_are_kept_as_they_came(work):
    accepted, rejected = found(work, b'n,note\n1,a\n2\n3,"x\ny"\n4,b,c\n\n5,"q"q\n6,\xe4\nx,d\n7,e\n')
    assert accepted == [(1, "a"), (3, "x\ny"), (7, "e")]
    assert rejected == [
        (1, 3, "the row has 1 values, not 2", "2"),
        (3, 6, "the row has 3 values, not 2", "4,b,c"),
        (4, 8, "the row has a quote in the middle of a value", '5,"q"q'),
        (5, 9, "the row is not utf-8 text", "6,\\xe4"),
        (6, 10, "n is not a BIGINT", '{"n":"x","note":"d"}'),
    ]


@pytest.mark.parametrize(
    "tail", ['1,"x\n2,y\n', '1,"x\n2,y\n3,"z"\n', '1,"a"b,"c\n2,d\n', '1,5" x\n2,"y\n3,z\n'], ids=repr
)
def test_a_quote_that_is_not_closed_refuses_the_file(work, tail):
    with pytest.raises(SourceError, match=r"it cannot be told where records end, because a quote is not closed"):
        found(work, f"n,note\n0,\n{tail}")


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_ends_of_lines_are_those_of_any_system(work, end):
    assert found(work, end.join(["n,note", "1,a", '2,"b"', ""]))[0] == [(1, "a"), (2, "b")]


def test_mixed_ends_of_lines(work):
    assert found(work, b"n,note\r\n1,a\n2,b\r\n")[0] == [(1, "a"), (2, "b")]


@pytest.mark.parametrize(
    ("encoding", "python"), [("latin-1", "latin-1"), ("windows-1252", "cp1252"), ("utf-16", "utf-16")]
)
def test_declared_encodings(work, encoding, python):
    text = "n,note\n1,é\n" + ("2,€\n" if encoding != "latin-1" else "")
    accepted, rejected = found(work, text.encode(python), CSV(encoding=encoding))
    assert (accepted, rejected) == ([(1, "é"), (2, "€")][: text.count("\n") - 1], [])


@pytest.mark.parametrize("content", ["n,note\n1,é\n".encode("utf-16"), "n,note\n1,é\n".encode("utf-16-le")], ids=repr)
def test_another_encoding_than_declared(work, content):
    with pytest.raises(
        SourceError, match=r"cannot be read: it (says that it is utf-16|does not begin like utf-8 text)"
    ):
        found(work, content)


def test_a_mark_of_utf_8_is_no_part_of_the_header(work):
    assert found(work, b"\xef\xbb\xbfn,note\n1,a\n2,b,c\n")[0] == [(1, "a")]


def test_the_dialect_is_what_is_declared(work):
    form = CSV(delimiter=";", quote="'", nulls=("-", "NULL"))
    assert found(work, "n;note\n1;'a;''b'\n2;NULL\n3;-\n4;\n5;'-'\n", form)[0] == [
        (1, "a;'b"),
        (2, None),
        (3, None),
        (4, ""),
        (5, "-"),
    ]


def test_quoted_nulls(work):
    assert found(work, 'n,note\n1,""\n')[0] == [(1, "")]
    assert found(work, '"n","note"\n"1",""\n', CSV(quoted_nulls=True))[0] == [(1, None)]


def test_without_a_header_columns_come_as_declared(work):
    accepted, rejected = found(work, "1,a\n2\n3,c\n", CSV(header=False))
    assert accepted == [(1, "a"), (3, "c")]
    assert rejected == [(1, 2, "the row has 1 values, not 2", "2")]


PRICES = replace(
    NOTES, columns=(Column("n", Integer()), Column("price", Decimal(9, 2)), Column("share", Double(), nullable=True))
)


def test_a_decimal_comma(work):
    form = CSV(delimiter=";", decimal=",")
    accepted, rejected = found(work, "n;price;share\n1;1,50;0,25\n2;1.50;\n3;1.234,50;\n", form, PRICES)
    assert [(n, str(price), share) for n, price, share in accepted] == [(1, "1.50", 0.25)]
    assert [reasons for _, _, reasons, _ in rejected] == ["price is not a DECIMAL(9,2)"] * 2
    assert '"price":"1.234,50"' in rejected[1][3]


@pytest.mark.parametrize(
    "value", ["1_000", "0x10", " 1", "1 ", "1e3", "1,5", "one", "\u0661", "--1", "1.2.3", "$1", "9" * 30, "nan", ""]
)
def test_what_is_no_price(work, value):
    accepted, rejected = found(work, f'n,price,share\n1,"{value}",\n', None, PRICES)
    assert accepted == []
    assert len(rejected) == 1


@pytest.mark.parametrize("value", ["1.005", "1.5000001", "0.001"])
def test_digits_are_never_cut_off(work, value):
    assert [row[2] for row in found(work, f"n,price,share\n1,{value},\n", None, PRICES)[1]] == [
        "price has more than 2 digits after the point"
    ]


@pytest.mark.parametrize(
    ("header", "problem"),
    [
        ("n,note,n", "its header has a column twice: 'n' and 'n'"),
        ("n,note,N", "its header has a column twice: 'n' and 'N'"),
        ("n;note", r"column 'n' is missing\. There are: 'n;note'"),
        (",".join(f"c{n}" for n in range(100_000)), "its first line has 100,000 columns"),
        (",".join(f"c{n}" for n in range(1_000_000)), "its first line is longer than 2,000,000 characters"),
        ("n,no\0te", "it does not begin like utf-8 text: NUL bytes"),
        ('n,"note', "its first line cannot be read"),
        ("n," + "o" * 200_000, "its first line cannot be read .a name is longer than 131,072 characters"),
        ('n,"' + "o\n" * 50_000 + '"', r"column 'note' is missing\."),
    ],
    ids=lambda text: text[:20],
)
def test_headers_that_are_none(work, header, problem):
    with pytest.raises(SourceError, match=problem):
        found(work, f"{header}\n1,a\n")


def test_names_that_are_not_there_are_made_up(work):
    assert found(work, "n,,note\n1,x,a\n2,y\n")[0] == [(1, "a")]


def test_one_column_may_be_empty(work):
    one = replace(NOTES, columns=(Column("note", Text()),), key=("note",))
    accepted, rejected = found(work, "note\na\n\nb\n\xe4", CSV(may_end_open=True), one)
    assert (accepted, [row[:3] for row in rejected]) == ([("a",), ("b",), ("ä",)], [(1, 3, "note is null")])


def test_a_value_may_be_large_but_not_gigantic(work):
    big, small = "x" * 2_100_000, "y" * 1_900_000
    accepted, rejected = found(work, f'n,note\n1,{small}\n2,"{big}"\n3,c\n')
    assert accepted == [(1, small), (3, "c")]
    assert rejected == [(1, 3, "the row is longer than 2,000,000 bytes", f'2,"{big}"')]


def test_nul_in_a_row(work):
    accepted, rejected = found(work, b"n,note\n1,a\0b\n2,c\n")
    assert (accepted, [row[:3] for row in rejected]) == ([(2, "c")], [(0, 2, "note holds a NUL")])


def test_an_open_last_line_is_whole_only_where_it_is_declared(work):
    with pytest.raises(SourceError, match="its last line has no end"):
        found(work, "n,note\n1,a")
    assert found(work, "n,note\n1,a", CSV(may_end_open=True))[0] == [(1, "a")]


TEXTS = some.text(some.sampled_from('ab"," \n\r;\'é\t'), max_size=6)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(some.lists(TEXTS, max_size=8))
def test_what_is_written_comes_back_also_when_it_was_sifted(work, texts):
    file = work.platform.landing / "written.csv"
    with file.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writerows([["n", "note"], *enumerate(texts)])
    whole = file.read_bytes()
    assert found(work, whole) == (list(enumerate(texts)), [])
    accepted, rejected = found(work, whole + b"7\n")
    assert accepted == list(enumerate(texts))
    assert [row[2] for row in rejected] == ["the row has 1 values, not 2"]
    assert rejected[0][1] == len((whole + b"7").decode().splitlines()) or "\r" in whole.decode()


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"delimiter": ",,"}, r"delimiter ',,' must be one ASCII character"),
        ({"quote": "\n"}, "quote .* must be one ASCII character"),
        ({"quote": ","}, "delimiter and quote are both ','"),
        ({"decimal": ","}, "delimiter and decimal are both ','"),
        ({"decimal": ";"}, "decimal ';' must be a point or a comma"),
        ({"encoding": "latin1"}, "encoding 'latin1' is not known. Did you mean 'latin-1'"),
        ({"nulls": ()}, "nothing says that there is no value"),
        ({"nulls": ("", "")}, "null"),
    ],
    ids=str,
)
def test_a_dialect_that_cannot_be(wrong, what):
    with pytest.raises(DeclarationError, match=what):
        CSV(**wrong)


def test_rows_are_in_their_order_however_large_the_file(work):
    many = pa.table({"n": range(400_000), "note": ["x\ny"] * 400_000})
    source = replace(NOTES, format=CSV())
    file = landing_file(source, WHOLE, work)
    file.parent.mkdir(parents=True, exist_ok=True)
    write_csv(many, file)
    with file.open("ab") as stream:
        stream.write(b"x,\n")
    delivery = read(source, WHOLE, work=work)
    assert delivery.accepted["n"].to_pylist() == list(range(400_000))
    assert delivery.rejected.to_pylist()[0]["row_number"] == 400_000
    assert delivery.rejected.to_pylist()[0]["line"] == 800_002
