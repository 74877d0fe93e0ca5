"""What real feeds do wrong, and what comes of it: rows let in, rows kept aside with a reason, or the file refused.

In every case the day before stays as it was, and what is not let in is in quarantine: a row as a row, a file as a file.
"""

import os
import re
from dataclasses import replace

import pytest

from platform_ml.adapters.duckdb import DuckDB
from platform_ml.engine.feed import landing_file
from platform_ml.engine.quarantine import rejected_files, rejected_rows
from platform_ml.engine.source import materialize_source
from platform_ml.formats import CSV
from platform_ml.spec.errors import SourceError
from platform_ml.spec.window import PartitionError
from platform_ml_tests.engine.shop import contents, rows_of, stamp, work_in
from platform_ml_tests.faults.deliveries import BEFORE, CASES, DAY, FEED, FORMS, csv_of


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return work_in(tmp_path_factory.mktemp("feeds"))


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.what for case in CASES])
def test_what_comes_of_it(work, number):
    case = CASES[number]
    source = replace(FEED, name=f"sales_{number}", format=case.form)
    before = landing_file(replace(source, format=CSV()), BEFORE, work)
    before.parent.mkdir(parents=True)
    before.write_bytes(csv_of({"at": BEFORE}))
    materialize_source(replace(source, format=CSV()), [BEFORE], work=work, stamp=stamp())
    known = contents(work, source)

    file = landing_file(source, DAY, work)
    file.write_bytes(case.content)
    refused = ""
    try:
        (done,) = materialize_source(source, [DAY], work=work, stamp=stamp(2))
        refused = "".join(finding.reason for finding in done.stopped)
    except SourceError as error:
        refused = str(error)

    assert contents(work, source).items() >= known.items()
    files = rejected_files(source, work=work, key=DAY)
    if case.refused:
        assert re.search(case.refused, refused)
        assert DAY not in contents(work, source)
        assert [one.path.read_bytes() for one in files] == [case.content]
        return
    assert refused == ""
    assert files == []
    assert tuple(row["id"] for row in rows_of(work, source, [DAY])) == case.accepted
    kept = list(rejected_rows(source, work=work))
    assert tuple(row.reasons for row in kept) == case.rejected
    assert all(row.record and row.file == file.name for row in kept)


def test_there_are_many_kinds():
    assert len({case.what for case in CASES}) == len(CASES) >= 80


@pytest.mark.parametrize(
    "key", ["../sales", "2024-03-31/..", "/etc/passwd", "2024-03-31\0", "2024-03-31' OR '1'='1", ""]
)
def test_a_key_is_no_path(work, key):
    with pytest.raises(PartitionError):
        materialize_source(FEED, [key], work=work, stamp=stamp())


@pytest.mark.parametrize("form", [form for form, _ in FORMS.values()], ids=list(FORMS))
def test_what_is_no_file_is_not_read(work, form):
    source = replace(FEED, name=f"odd_{form.suffix[1:]}", format=form)
    file = landing_file(source, DAY, work)
    file.parent.mkdir(parents=True)
    file.symlink_to(file)
    with pytest.raises(SourceError, match="was not delivered"):
        materialize_source(source, [DAY], work=work, stamp=stamp())
    file.unlink()
    file.symlink_to("/etc/hostname")
    with pytest.raises(SourceError, match="is a link that leads out of the landing zone"):
        materialize_source(source, [DAY], work=work, stamp=stamp())
    file.unlink()
    os.mkfifo(file)
    with pytest.raises(SourceError, match="was not delivered"):
        materialize_source(source, [DAY], work=work, stamp=stamp())
    assert rejected_files(source, work=work) == []


@pytest.mark.parametrize("form", [form for form, _ in FORMS.values()], ids=list(FORMS))
def test_a_file_that_grows_while_it_is_read_is_refused(work, form, monkeypatch):
    source = replace(FEED, name=f"growing_{form.suffix[1:]}", format=form)
    file = landing_file(source, DAY, work)
    file.parent.mkdir(parents=True)
    file.write_bytes(FORMS[next(name for name, (one, _) in FORMS.items() if one == form)][1])
    query = DuckDB.query

    def slow(compute, sql, inputs):
        answer = query(compute, sql, inputs).table()
        with file.open("ab") as stream:
            stream.write(b"\n")
        return query(compute, "FROM answer", {"answer": answer})

    monkeypatch.setattr(DuckDB, "query", slow)
    with pytest.raises(SourceError, match="cannot be read: "):
        materialize_source(source, [DAY], work=work, stamp=stamp())
    assert work.platform.tables.snapshot(f"shop/{source.name}") is None
