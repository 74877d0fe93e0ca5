import numpy as np
import pytest
from sklearn.metrics import confusion_matrix as counted
from sklearn.metrics import precision_recall_fscore_support, roc_auc_score

from platform_ml.engine.bootstrap import entity_weights
from platform_ml.engine.class_scores import class_scores, confusion_matrix

NAMES = ("a", "b", "c")


@pytest.fixture
def rows():
    draw = np.random.default_rng(0)
    truth = draw.integers(0, 3, 300).astype(float)
    return truth, 0.3 * np.eye(3)[truth.astype(int)] + 0.7 * draw.dirichlet(np.ones(3), 300)


def test_each_class_is_scored_as_the_books_say(rows):
    truth, prediction = rows
    chosen = prediction.argmax(axis=1)
    assert confusion_matrix(3, truth, prediction).tolist() == counted(truth, chosen).tolist()
    expected = np.array(precision_recall_fscore_support(truth, chosen))
    found = class_scores(NAMES, truth, prediction)
    assert [one.name for one in found] == list(NAMES)
    assert pytest.approx(expected) == np.array([(one.precision, one.recall, one.f1, one.rows) for one in found]).T
    assert [one.roc_auc for one in found] == pytest.approx(
        [roc_auc_score(truth == place, prediction[:, place]) for place in range(3)]
    )


def test_what_is_not_there_is_not_scored():
    one, two, three = class_scores(NAMES, np.array([0.0, 0.0]), np.array([[1.0, 0, 0], [0, 0, 1.0]]))
    assert (one.precision, one.recall, one.roc_auc) == (1, 0.5, None)
    assert (two.precision, two.recall, two.f1) == (None, None, None)
    assert (three.precision, three.recall) == (0, None)
    assert class_scores((), np.zeros(2), np.zeros(2)) == ()
    assert class_scores(NAMES, np.zeros(2), np.full((2, 3), np.nan)) == ()


def test_intervals_are_of_the_resamples(rows):
    truth, prediction = rows
    blocks = list(entity_weights(np.arange(300), resamples=500, seed="x"))
    found = class_scores(NAMES, truth, prediction, blocks)
    for kind in ("precision", "recall", "f1", "roc_auc"):
        one = found[1].intervals[kind]
        assert one.low < one.value == getattr(found[1], kind) < one.high
    chosen = prediction.argmax(axis=1)
    again = np.repeat(np.arange(300), blocks[0][0].astype(int))
    expected = precision_recall_fscore_support(truth[again], chosen[again])
    alone = class_scores(NAMES, truth, prediction, [blocks[0][:1]])
    assert alone[2].intervals["f1"].low == pytest.approx(expected[2][2])
    assert class_scores(NAMES, truth, prediction)[0].intervals == {}
