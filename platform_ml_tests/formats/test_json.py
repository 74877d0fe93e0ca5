import json

import pytest

from platform_ml.formats import JSON
from platform_ml.spec.errors import SourceError
from platform_ml.testing.formats import FormatContract, rows
from platform_ml_tests.formats.test_json_lines import plain


class TestJSON(FormatContract):
    @pytest.fixture
    def form(self):
        return JSON()

    def write(self, file, rows):
        file.write_text(json.dumps([{k: plain(v) for k, v in row.items()} for row in rows.to_pylist()]))

    @pytest.mark.parametrize("indent", [None, 2])
    def test_it_may_be_written_in_lines(self, form, work, indent):
        file = self.deliver(form, work, rows(5))
        file.write_text("\ufeff" + json.dumps(json.loads(file.read_text()), indent=indent), encoding="utf-8")
        assert self.found(form, work).accepted.equals(rows(5))

    @pytest.mark.parametrize(
        "content",
        ['[{"n":1},]', '[{"n":1}] x]', '[{"n":1}][{"n":2}]', '{"n":1}', '[{"n":1} {"n":2}]', '[{"n":1}]]', '[{"n":"]'],
    )
    def test_a_fault_anywhere_refuses_the_file(self, form, work, content):
        self.deliver(form, work, rows(1)).write_text(content)
        with pytest.raises(SourceError, match="cannot be read"):
            self.found(form, work)

    def test_what_is_no_object_is_a_bad_row(self, form, work):
        file = self.deliver(form, work, rows(1))
        file.write_text(file.read_text()[:-1] + ',5,[{"n":2}],null,{"n":3}]')
        found = self.found(form, work)
        assert found.accepted["n"].to_pylist() == [0, 3]
        assert [row["record"] for row in found.rejected.to_pylist()] == ["5", '[{"n":2}]', "null"]
