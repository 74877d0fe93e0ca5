import numpy as np
import pyarrow as pa
import pytest

from platform_ml.engine.predictions import predicted, ranks
from platform_ml.engine.serving import Served
from platform_ml.spec.errors import RowsError
from platform_ml.spec.scores import Scores
from platform_ml_tests.engine.searches import of_classes, of_rankings

ROWS = pa.table(
    {
        "result_id": [1, 2, 3],
        "search_id": [7, 8, 7],
        "event_time": pa.array([0, 1, 2], pa.timestamp("us", tz="UTC")),
        "price": [1.0, 2.0, 3.0],
    }
)
RANKED = Scores(name="ranked", description="In order.", registration=of_rankings)
CLASSED = Scores(name="classed", description="By class.", registration=of_classes)


class Told:
    """Answers what it was told."""

    def __init__(self, answer):
        self.answer = np.asarray(answer, float)

    def predict(self, rows):
        return self.answer


def said(scores, answer, *, rows=ROWS, classes=()):
    record = {"version": 3, "model": "m" * 64}
    served = Served(predictor=Told(answer), record=record, features={"price": "DOUBLE"}, classes=classes)
    table, odd = predicted(scores, served, rows, rows.select(["price"]))
    assert table.schema.names == list(scores.columns)
    return table.to_pydict(), odd


def test_a_ranking_gets_places():
    found, odd = said(RANKED, [0.5, 0.1, 0.7])
    assert (found["score"], found["rank"], odd) == ([0.5, 0.1, 0.7], [2, 1, 1], 0)
    assert (set(found["model_version"]), set(found["model_digest"])) == ({3}, {"m" * 64})


def test_classes_get_the_likeliest_with_its_probability():
    found, odd = said(CLASSED, [[0.1, 0.9], [0.5, 0.5], [0.8, 0.2]], classes=("ignored", "opened"))
    assert (found["predicted"], found["score"], odd) == (["opened", "ignored", "ignored"], [0.9, 0.5, 0.8], 0)
    assert found["probabilities"] == [[0.1, 0.9], [0.5, 0.5], [0.8, 0.2]]


def test_what_is_no_number_is_counted():
    assert said(RANKED, [0.5, np.nan, np.inf])[1] == 2
    assert said(CLASSED, [[0.1, np.nan], [0.5, 0.5], [0.8, 0.2]], classes=("ignored", "opened"))[1] == 1


@pytest.mark.parametrize("answer", [[0.5, 0.1], [[0.5], [0.1], [0.7]]])
def test_another_number_of_answers_is_refused(answer):
    with pytest.raises(RowsError, match=r"Model mmmmmmmmmmmm gives answers of shape .*; \(3,\) was expected"):
        said(RANKED, answer)


def test_without_rows_nobody_is_asked():
    none = ROWS.slice(0, 0)
    assert said(RANKED, [9.0], rows=none)[0]["rank"] == []
    assert said(CLASSED, [9.0], rows=none, classes=("ignored", "opened"))[0]["probabilities"] == []


def test_places_in_a_group_are_counted_from_the_greatest_score():
    groups = pa.chunked_array([["b", "a", "b", "a", "b"]])
    assert ranks(np.array([0.1, 0.5, 0.9, 0.5, 0.1]), groups).tolist() == [2, 1, 1, 2, 3]
    assert ranks(np.empty(0), groups.slice(0, 0)).tolist() == []


def test_entities_of_a_moment_are_ranked_by_the_moment():
    times = pa.chunked_array([pa.array([0, 1, 0], pa.timestamp("us", tz="UTC"))])
    assert ranks(np.array([1.0, 1.0, 2.0]), times).tolist() == [2, 1, 1]
