from dataclasses import replace

from platform_ml.formats import CSV, RESULT_EXPORTS
from platform_ml.projects.athlete.sources import race_results
from platform_ml_tests.formats.test_reading import found  # noqa: F401 - a fixture

HEADER = "Race ID,Athlete ID,Race Distance,Start,Bib,Status,Finish Time,Published"


def test_a_list_of_results_is_read_in_its_own_units(found):  # noqa: F811
    source = replace(race_results, cadence=None, event_time=None, example=None, format=CSV(reads=RESULT_EXPORTS))
    line = "501,11,10.0,2022-02-06 09:00:00,7,Finished,0:52:41,2022-02-06 12:00:00"
    row = found(HEADER, line, source=source).accepted.to_pylist()[0]
    assert (row["race_id"], row["distance"], row["seconds"], row["status"]) == (501, 10_000, 3_161, "finished")
    assert row["climb"] is None
