"""Kinds of fault of delivered files: the bytes, and what comes of them."""

import io
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq

from platform_ml.formats import CSV, JSON, Avro, JSONLines, Parquet
from platform_ml.spec.schema import Column, Decimal, Double, Integer, Text, Timestamp
from platform_ml.spec.source import Source
from platform_ml.spec.window import Daily

BEFORE, DAY = "2024-03-30", "2024-03-31"
"""In much of Europe the clock is put forward on this day."""
FEED = Source(
    name="sales",
    description="What was sold.",
    format=CSV(),
    columns=(
        Column("id", Integer()),
        Column("shop", Text(), allowed=("Aachen", "Köln")),
        Column("amount", Decimal(9, 2), minimum=0, maximum=10_000),
        Column("weight", Double(), nullable=True),
        Column("note", Text(), nullable=True),
        Column("at", Timestamp()),
    ),
    key=("id",),
    event_time="at",
    cadence=Daily(first=date(2024, 3, 30), last=date(2024, 3, 31)),
    max_rejected_share=0.75,
)
NAMES = list(FEED.types)
GOOD = {"shop": "Köln", "amount": "1.50", "weight": 2.5, "note": "n", "at": f"{DAY}T12:00:00Z"}


@dataclass(frozen=True)
class Case:
    """What is delivered for the day, and what comes of it."""

    what: str
    content: bytes
    accepted: tuple[int, ...] = ()
    rejected: tuple[str, ...] = ()
    refused: str = ""
    form: object = FEED.format


def records(*changes):
    return [{"id": n, **GOOD, **change} for n, change in enumerate(changes, 1)]


def csv_of(*changes, names=NAMES, sign=",", end="\n", encoding="utf-8"):
    """Values as they are given: quotes are up to the case."""
    lines = [sign.join(names)]
    lines += [
        row if isinstance(row, str) else sign.join(str(row[name]) for name in names)
        for row in (
            change if isinstance(change, str) else records(*[{}] * n, change)[n] for n, change in enumerate(changes)
        )
    ]
    return "".join(f"{line}{end}" for line in lines).encode(encoding)


def typed(rows):
    types = {"amount": float, "at": lambda text: datetime.fromisoformat(text).astimezone(UTC)}
    return [{name: types.get(name, lambda value: value)(value) for name, value in row.items()} for row in rows]


def parquet_of(*changes, rename=None, **kinds):
    rows = records(*changes)
    schema = {"id": pa.int64(), "shop": pa.string(), "amount": pa.string(), "weight": pa.float64(), "note": pa.string()}
    schema |= {"at": pa.timestamp("us", "UTC")} | kinds
    columns = {name: [row.get(name) for row in rows] for name in schema}
    columns["amount"] = [None if v is None else float(v) for v in columns["amount"]] if "amount" in columns else []
    schema["amount"] = kinds.get("amount", pa.float64())
    columns["at"] = [datetime.fromisoformat(v) for v in columns["at"]]
    table = pa.table({name: pa.array(values).cast(schema[name]) for name, values in columns.items()})
    sink = io.BytesIO()
    pq.write_table(table.rename_columns([(rename or {}).get(name, name) for name in table.column_names]), sink)
    return sink.getvalue()


def avro_of(*changes, kind="long"):
    fields = [("id", kind), ("shop", "string"), ("amount", "double"), ("weight", "double"), ("note", "string")]
    plain = [{"name": name, "type": ["null", kind]} for name, kind in fields]
    plain.append({"name": "at", "type": {"type": "long", "logicalType": "timestamp-micros"}})
    sink = io.BytesIO()
    schema = {"type": "record", "name": "Sale", "fields": plain}
    rows = [row | {"id": str(row["id"]) if kind == "string" else row["id"]} for row in typed(records(*changes))]
    fastavro.writer(sink, schema, rows, codec="deflate")
    return sink.getvalue()


def lines_of(*changes):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in records(*changes)).encode()


def array_of(*changes):
    return json.dumps(records(*changes)).encode()


def flipped(content, at=0.5):
    place = int(len(content) * at)
    return content[:place] + bytes([content[place] ^ 0xFF]) + content[place + 1 :]


THREE = ({}, {}, {})
FORMS = {
    "csv": (CSV(), csv_of(*THREE)),
    "json": (JSON(), array_of(*THREE)),
    "json lines": (JSONLines(), lines_of(*THREE)),
    "avro": (Avro(), avro_of(*THREE)),
    "parquet": (Parquet(), parquet_of(*THREE)),
}
OTHERS = [
    Case(f"{name}: {what}", content, refused="cannot be read: ", form=form)
    for name, (form, whole) in FORMS.items()
    for what, content in [
        ("no byte at all", b""),
        ("cut off in the middle", whole[: len(whole) // 2 + 3]),
        ("half-written, without its end", whole[:-3]),
        ("a page of a web server", b"<html>\n<body>503</body>\n</html>\n"),
        ("zeros, as a crashed disk leaves them", bytes(len(whole))),
    ]
    if (name, what[:6]) != ("json lines", "a page")
]
WHOLE = [Case(f"{name}: whole", whole, (1, 2, 3), form=form) for name, (form, whole) in FORMS.items()]
HEADER_AS_ROW = (
    "id is not a BIGINT; shop is none of Aachen, Köln; amount is not a DECIMAL(9,2); weight is not a DOUBLE; "
    "at is not a TIMESTAMPTZ"
)
MISSING = r"column 'amount' is missing\."
TEXT_FAULTS = [
    Case(
        "another delimiter than declared",
        csv_of(*THREE, sign=";"),
        refused=r"column 'id' is missing\. There are: 'id;shop",
    ),
    Case(
        "latin-1 that is declared as utf-8",
        csv_of({}, {"shop": "Aachen"}, encoding="latin-1"),
        (2,),
        ("the row is not utf-8 text",),
    ),
    Case(
        "utf-16 that is declared as utf-8",
        csv_of({}, encoding="utf-16"),
        refused="it says that it is utf-16, declared is utf-8",
    ),
    Case(
        "utf-8 that is declared as latin-1",
        csv_of({}, {"shop": "Aachen"}),
        (2,),
        ("shop is none of Aachen, Köln",),
        form=CSV(encoding="latin-1"),
    ),
    Case("a mark of utf-8", b"\xef\xbb\xbf" + csv_of({}), (1,)),
    Case("ends of lines of Windows", csv_of({}, {}, end="\r\n"), (1, 2)),
    Case("a column more", csv_of({}, {}).replace(b"\n", b",1\n").replace(b"at,1", b"at,till"), (1, 2)),
    Case("a column less", csv_of({}, names=[n for n in NAMES if n != "amount"]), refused=MISSING),
    Case("a column renamed", csv_of({}).replace(b"amount", b"amuont"), refused=rf"{MISSING} Did you mean 'amuont'"),
    Case("a column twice", csv_of({}).replace(b"note", b"shop"), refused="its header has a column twice"),
    Case("columns in another order", csv_of({}, {}, names=NAMES[::-1]), (1, 2)),
    Case(
        "a million columns",
        ",".join(f"c{n}" for n in range(1_000_000)).encode() + b"\n",
        refused="its first line is longer",
    ),
    Case("no header", csv_of({}, {}).split(b"\n", 1)[1], refused=r"column 'id' is missing"),
    Case("a row with too few values", csv_of({}, "2,Aachen", {}), (1, 3), ("the row has 2 values, not 6",)),
    Case("a row with too many values", csv_of({}, {"note": "a,b"}, {}), (1, 3), ("the row has 7 values, not 6",)),
    Case(
        "a header in the middle of joined files",
        csv_of({}, ",".join(NAMES), {}),
        (1, 3),
        (HEADER_AS_ROW,),
    ),
    Case(
        "a total below the rows", csv_of({}, "total,,3.00,,,"), (1,), ("id is not a BIGINT; shop is null; at is null",)
    ),
    Case("a quote that is never closed", csv_of({}, {"note": '"x'}, {}), refused="a quote is not closed"),
    Case("a stray quote", csv_of({}, {"note": '"x"y'}, {}), (1, 3), ("the row has a quote in the middle of a value",)),
    Case("ends of lines in quotes", csv_of({}, {"note": '"x\ny\n"'}, {}), (1, 2, 3)),
    Case("a formula for a spreadsheet", csv_of({"note": "=cmd|' /C calc'!A0"}, {"note": "@SUM(1)"}), (1, 2)),
    Case("SQL in a text", csv_of({"note": "'); DROP TABLE sales; --"}), (1,)),
    Case("a NUL in a text", csv_of({"note": "a\0b"}, {}), (2,), ("note holds a NUL",)),
    Case("a gigantic value", csv_of({"note": "x" * 2_500_000}, {}), (2,), ("the row is longer than 2,000,000 bytes",)),
    Case("empty lines", csv_of({}, "", {}).replace(b"\n\n", b"\n\n\n"), (1, 3)),
    Case("unicode of every kind", csv_of({"note": "é\u0301👩‍👩‍👧\u202eabc\ufeff"}), (1,)),
    Case(
        "a look-alike of an allowed value", csv_of({"shop": "Ko\u0308ln"}, {}), (2,), ("shop is none of Aachen, Köln",)
    ),
]
VALUE_FAULTS = [
    Case("not a number", csv_of({"weight": "NaN"}, {}), (2,), ("weight is not a finite number",)),
    Case("infinity", csv_of({"weight": "-inf"}, {}), (2,), ("weight is not a finite number",)),
    Case("a number beyond all doubles", csv_of({"weight": "1e999"}, {}), (2,), ("weight is not a finite number",)),
    Case("a decimal comma", csv_of({"amount": '"1,5"'}, {}), (2,), ("amount is not a DECIMAL(9,2)",)),
    Case(
        "digits that would be rounded away",
        csv_of({"amount": "1.005"}, {}),
        (2,),
        ("amount has more than 2 digits after the point",),
    ),
    Case(
        "out of range",
        csv_of({"amount": "-0.01"}, {"amount": "10000.01"}, {}),
        (3,),
        ("amount is below 0", "amount is above 10000"),
    ),
    Case("no value where there must be one", csv_of({"amount": ""}, {}), (2,), ("amount is null",)),
    Case("words for no value", csv_of({"amount": "NULL"}, {}), (2,), ("amount is not a DECIMAL(9,2)",)),
    Case("the same row twice", csv_of({}, {"id": 1}, {}), (1, 3), ("repeats the key (id) of an earlier row",)),
    Case(
        "a late row of the day before",
        csv_of({"at": f"{BEFORE} 23:59:59.999999"}, {}),
        (2,),
        ("at is outside of the partition",),
    ),
    Case("a row from the future", csv_of({"at": "2042-01-01"}, {}), (2,), ("at is outside of the partition",)),
    Case("a day that is not", csv_of({"at": "2024-02-30"}, {}), (2,), ("at is not a TIMESTAMPTZ",)),
    Case("a day written otherwise", csv_of({"at": "03/31/2024"}, {}), (2,), ("at is not a TIMESTAMPTZ",)),
    Case(
        "words that databases take for times",
        csv_of({"at": "infinity"}, {"at": "epoch"}, {}),
        (3,),
        ("at is not a TIMESTAMPTZ",) * 2,
    ),
    Case("seconds since 1970", csv_of({"at": "1711886400"}, {}), (2,), ("at is not a TIMESTAMPTZ",)),
    Case(
        "another time zone",
        csv_of({"at": f"{DAY}T01:00:00+02:00"}, {"at": "2024-04-01T01:00+02:00"}),
        (2,),
        ("at is outside of the partition",),
    ),
    Case("an hour that the clock skips, in UTC", csv_of({"at": f"{DAY} 02:30:00"}), (1,)),
    Case("a zone by name", csv_of({"at": f"{DAY} 02:30 Europe/Berlin"}, {}), (2,), ("at is not a TIMESTAMPTZ",)),
]
TYPED_FAULTS = [
    Case(
        "parquet: retyped to text",
        parquet_of({}, id=pa.string()),
        refused="column 'id' is VARCHAR, declared is BIGINT",
        form=Parquet(),
    ),
    Case("parquet: renamed", parquet_of({}, rename={"amount": "amuont"}), refused=MISSING, form=Parquet()),
    Case(
        "parquet: a footer that would be larger than the file",
        parquet_of(*THREE)[:-8] + b"\xff\xff\xff\x7fPAR1",
        refused="cannot be read",
        form=Parquet(),
    ),
    Case("avro: retyped to text", avro_of({}, kind="string"), refused="column 'id' is VARCHAR", form=Avro()),
    Case("avro: a byte of a block flipped", flipped(avro_of(*THREE), 0.93), refused="cannot be read", form=Avro()),
    Case(
        "avro: not a number",
        avro_of({"weight": float("nan")}, {}),
        (2,),
        ("weight is not a finite number",),
        form=Avro(),
    ),
    Case(
        "json: retyped to text",
        array_of({"shop": 5}, {}),
        (2,),
        ("shop is no text; shop is none of Aachen, Köln",),
        form=JSON(),
    ),
    Case("json: renamed", array_of({}).replace(b"amount", b"amuont"), refused=MISSING, form=JSON()),
    Case("json: two arrays in a file", array_of({}) * 2, refused="cannot be read", form=JSON()),
    Case("json: lines instead of an array", lines_of({}), refused="it does not begin with", form=JSON()),
    Case(
        "json lines: a damaged line",
        lines_of(*THREE).replace(b'{"id": 2,', b'{"id": 2'),
        (1, 3),
        ("the row is no JSON: Expecting ',' delimiter: line 1 column 10 (char 9)",),
        form=JSONLines(),
    ),
    Case(
        "json lines: a key twice",
        lines_of(*THREE).replace(b'"id": 2', b'"id": 2, "id": 9'),
        (1, 3),
        ("the row has a key twice",),
        form=JSONLines(),
    ),
    Case(
        "json lines: latin-1",
        lines_of({}, {"shop": "Aachen"}).decode().encode("latin-1"),
        (2,),
        ("the row is not utf-8 text",),
        form=JSONLines(),
    ),
    Case(
        "json lines: infinity",
        lines_of({"weight": float("inf")}, {}),
        (2,),
        ("weight is not a finite number",),
        form=JSONLines(),
    ),
    Case(
        "json lines: a page of a web server",
        b"<html>\n<body>503</body>\n</html>\n",
        refused="3 of 3 rows rejected",
        form=JSONLines(),
    ),
]
CASES = [*WHOLE, *OTHERS, *TEXT_FAULTS, *VALUE_FAULTS, *TYPED_FAULTS]
