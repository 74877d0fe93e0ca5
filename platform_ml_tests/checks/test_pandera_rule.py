import subprocess
import sys
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import ClassVar

import pandas as pd
import pandera.pandas as pandera
import pyarrow as pa
import pytest

from platform_ml.checks import PanderaRule
from platform_ml.checks.pandera_rule import sampled
from platform_ml.spec.errors import DeclarationError, PlatformError
from platform_ml.spec.schema import Double, Integer
from platform_ml.testing.checks import CheckContract, judged

HERE = "schemas_of_a_test"
SCHEMAS = """
import pandera.pandas as pa

dear = pa.DataFrameSchema({"amount": pa.Column(checks=pa.Check.gt(0), nullable=True)})

class Amounts(pa.DataFrameModel):
    amount: float = pa.Field(gt=0, coerce=True)

    @pa.dataframe_check
    def enough(cls, frame):
        return len(frame) >= 2

class Holder:
    inner = dear

def made():
    return dear

def model():
    return Amounts

def with_arguments(column):
    return dear

number = 7
"""


@pytest.fixture(autouse=True)
def schemas(tmp_path, monkeypatch):
    (tmp_path / f"{HERE}.py").write_text(SCHEMAS)
    (tmp_path / "broken_schemas.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop(HERE, None)


def rule(what="dear", **options):
    return PanderaRule("dear", f"{HERE}:{what}", **options)


class TestPanderaRule(CheckContract):
    columns: ClassVar = {"amount": Double(), "shop_id": Integer()}

    @pytest.fixture
    def check(self):
        return rule()

    @pytest.fixture
    def good(self):
        return [{"amount": [1.0, None, 2.0]}]

    @pytest.fixture
    def bad(self):
        return [{"amount": [1.0, -1.0, None, 0.0]}]

    def test_it_says_how_many_and_the_first(self, check, bad):
        found = judged(check, bad)
        assert found.reason == (
            f"2 of 4 rows (50.00%, allowed 0.00%) break {HERE}:dear, the first of 2 failures: "
            "amount breaks greater_than(0): -1.0 (row 1); amount breaks greater_than(0): 0.0 (row 3)."
        )
        assert found.numbers == {"rows": 2, "share": 0.5, "failures": 2}

    def test_it_names_the_key(self, check):
        rows = pa.table({"shop_id": [7, 8], "day": ["a", "b"], "amount": [1.0, -1.0]})
        found = check.inspect(rows, ("shop_id", "day"))
        assert found["first"] == "amount breaks greater_than(0): -1.0 (shop_id=8, day=b)"

    def test_a_share_may_be_allowed(self, bad):
        assert judged(rule(max_share=0.5), bad).passed
        assert not judged(rule(max_share=0.49), bad).passed

    @pytest.mark.parametrize("what", ["dear", "Amounts", "made", "model", "Holder.inner"])
    def test_whatever_gives_a_schema(self, what):
        assert judged(rule(what), [{"amount": [1.0, 2.0]}]).passed
        assert not judged(rule(what), [{"amount": [1.0, -2.0]}]).passed

    def test_the_partition_as_a_whole_is_never_excused(self):
        found = judged(rule("Amounts", max_share=1.0), [{"amount": [1.0]}])
        assert not found.passed
        assert "the rows breaks enough" in found.reason or "Amounts breaks enough" in found.reason
        missing = judged(rule(max_share=1.0), [{"shop_id": [1]}])
        assert not missing.passed
        assert "column_in_dataframe: amount" in missing.reason

    def test_rows_have_arrow_types(self, schemas):
        (schemas / f"{HERE}.py").write_text(
            "import pandas as pd, pyarrow as pa, pandera.pandas as pandera\n"
            "kinds = {'at': pa.timestamp('us', 'UTC'), 'paid': pa.decimal128(9, 2), 'n': pa.int64()}\n"
            "dear = pandera.DataFrameSchema({k: pandera.Column(pd.ArrowDtype(v), nullable=True) "
            "for k, v in kinds.items()}, strict=True)\n"
        )
        types = {"at": pa.timestamp("us", "UTC"), "paid": pa.decimal128(9, 2), "n": pa.int64()}
        found = judged(rule(), [{"at": [datetime(2024, 1, 1)], "paid": [Decimal("1.00")], "n": [None]}], types)  # noqa: DTZ001 - Arrow adds it
        assert found.passed, found

    def test_a_large_partition_is_sampled_and_says_so(self):
        days = [{"amount": [float(n % 100) for n in range(5000)]}]
        found = judged(rule(most_rows=1000), days)
        assert "of a sample of 1,000 of 5,000 rows" in found.reason
        assert found == judged(rule(most_rows=1000), days)
        assert 1 <= found.numbers["rows"] <= 30

    def test_a_sample_keeps_the_order(self):
        rows = pa.table({"n": range(1000)})
        found = sampled(rows, 100)["n"].to_pylist()
        assert (len(found), found) == (100, sorted(set(found)))
        assert sampled(rows, 1000) is rows

    def test_no_rows_pass(self, check):
        assert judged(check, [{"amount": [1.0]}, {"amount": []}], {"amount": pa.float64()}).passed


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("package.module", "is no path. Write 'package.module:name'"),
        ("package/module:name", "is no path"),
        ("module:", "is no path"),
        ("nowhere.at_all:schema", "there is no module 'nowhere'"),
        ("platform_ml.nowhere.deep:schema", "there is no module 'platform_ml.nowhere'"),
        ("platform_ml.checks.psi.deeper:schema", "there is no module 'platform_ml.checks.psi.deeper'"),
    ],
)
def test_a_path_that_cannot_be(schema, message):
    with pytest.raises(DeclarationError, match=message):
        PanderaRule("dear", schema)


@pytest.mark.parametrize("options", [{"max_share": 2}, {"most_rows": 0}])
def test_numbers_that_cannot_be(options):
    with pytest.raises(DeclarationError, match="PanderaRule 'dear'"):
        rule(**options)


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (f"{HERE}:daer", "there is no 'daer' in .* Did you mean 'dear'"),
        (f"{HERE}:number", "is a int. Name a DataFrameSchema"),
        (f"{HERE}:Holder", "is a type. Name a DataFrameSchema"),
        ("broken_schemas:dear", "cannot be imported: ZeroDivisionError"),
        (f"{HERE}:with_arguments", "with_arguments cannot be called"),
    ],
)
def test_what_is_found_out_when_it_runs(schema, message):
    with pytest.raises(PlatformError, match=message):
        PanderaRule("dear", schema).inspect(pa.table({"amount": [1.0]}), [])


def test_declaring_imports_neither_pandera_nor_the_schema(schemas):
    code = f"""
import sys
sys.path.insert(0, {str(schemas)!r})
from platform_ml.checks import PanderaRule
PanderaRule("dear", "{HERE}:dear")
print(sorted({{"pandera", "pandas", "{HERE}"}} & set(sys.modules)))
"""
    root = Path(__file__).parents[2]
    ran = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_pandera_agrees():
    """What a schema refuses by itself is what the check counts."""
    values = [float(n) for n in range(-50, 50)]
    schema = pandera.DataFrameSchema({"amount": pandera.Column(checks=pandera.Check.gt(0))})
    with pytest.raises(pandera.errors.SchemaErrors) as raised:
        schema.validate(pd.DataFrame({"amount": values}), lazy=True)
    assert judged(rule(), [{"amount": values}]).numbers["failures"] == len(raised.value.failure_cases)
