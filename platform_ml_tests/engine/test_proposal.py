import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.engine.proposal import Asked, propose
from platform_ml.spec.errors import PlatformError
from platform_ml.spec.schema import Boolean, Column, Decimal, Double, Integer, Text, Timestamp

HEADER = "id,who_id,code,paid,weight,vip,at,note"
ROWS = (
    "1,5,007,12.50,1e3,true,2024-01-02 10:00:00,",
    "2,5,008,3.5,0.25,false,2024-03-03 10:00:00,it's late",
    '3,6,008,100.00,2,true,2024-02-01 00:00:00,"a, b"',
)


@pytest.fixture
def proposed(tmp_path):
    def read(text, name="visits.csv", **asked):
        file = tmp_path / name
        file.write_text(text)
        return propose(file, Asked(**asked), DuckDB(memory="500MB", threads=1))

    return read


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_types_key_entity_and_time_are_found(proposed, delimiter):
    rows = [row if delimiter == "," else row.replace(",", delimiter) for row in (HEADER, *ROWS)]
    found = proposed("\n".join(rows) + "\n")
    assert found.columns == (
        Column("id", Integer()),
        Column("who_id", Integer()),
        Column("code", Text()),
        Column("paid", Decimal(9, 2)),
        Column("weight", Double()),
        Column("vip", Boolean()),
        Column("at", Timestamp()),
        Column("note", Text(), nullable=True),
    )
    assert (found.name, found.key, found.entity, found.event_time) == ("visits", ("id",), "who_id", "at")
    assert (str(found.first), str(found.last)) == ("2024-01-02", "2024-03-03")
    assert (found.of(Decimal), found.of(Integer), found.of(Text)) == (["paid"], [], ["code", "note"])


def test_what_is_said_is_not_looked_for(proposed):
    text = "a,b,started,ended\n1,1,2024-01-01,2024-01-02\n1,2,2024-01-01,2024-01-02\n"
    found = proposed(text, key=("a", "b"), entity="a", event_time="ended")
    assert (found.key, found.entity, found.event_time) == (("a", "b"), "a", "ended")


@pytest.mark.parametrize(
    ("text", "said", "asked"),
    [
        ("id,at,until\n1,2024-01-01,2024-01-02\n", "'at' or 'until' may be when it happened. Say --event-time", {}),
        ("id,size\n1,2\n2,2\n", "nothing says what came first. Say --event-time|no column is a time", {}),
        ("id,at\n1,03/04/2024\n", "nobody can tell day from month in 'at'", {}),
        ("id,at\n1,2024-01-01\n2,\n", "'at' is no event time: every row needs one", {}),
        ("one,two,at\n1,1,2024-01-01\n2,2,2024-01-02\n", "each of 'one' or 'two' is different in all rows. Say", {}),
        ("a,at\n1,2024-01-01\n1,2024-01-02\n", "no column is different in all rows. Say which columns tell", {}),
        ("a,at\n1,2024-01-01\n1,2024-01-02\n", "a is no key: 1 rows repeat another", {"key": ("a",)}),
        ("a,at\n1,2024-01-01\n1,2024-01-02\n", "has no column 'aa'. Did you mean 'a'", {"key": ("aa",)}),
        ("id,at\n1,2024-01-01\n2,2024-01-02\n", "of whom is anything to be predicted", {}),
        ("Order ID,at\n1,2024-01-01\n", "column 'Order ID': a name is lower_snake_case.*Try 'order_id'", {}),
    ],
)
def test_what_may_mean_two_things_is_asked(proposed, text, said, asked):
    with pytest.raises(PlatformError, match=said):
        proposed(text, **asked)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(PlatformError, match=r"is not there\. Name a CSV file with a header"):
        propose(tmp_path / "none.csv", Asked(), DuckDB())
