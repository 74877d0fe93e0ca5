import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.leak_audit import LeakAudit


@pytest.mark.parametrize("name", ["too_good", "tells_apart"])
@pytest.mark.parametrize("value", [0.5, 1.01, float("nan"), float("inf")])
def test_a_limit_lies_between_chance_and_certainty(name, value):
    with pytest.raises(DeclarationError, match=f"LeakAudit: {name} is {value}. Use more than 0.5"):
        LeakAudit(**{name: value})
    assert LeakAudit(**{name: 1.0}) != LeakAudit()


@pytest.mark.parametrize("value", [-0.01, 1.0, float("nan")])
def test_copies_are_a_share(value):
    with pytest.raises(DeclarationError, match=f"LeakAudit: copies is {value}"):
        LeakAudit(copies=value)
    assert LeakAudit(copies=0).copies == 0


def test_a_column_is_named_once():
    with pytest.raises(DeclarationError, match="time column 'due_at' 2 times"):
        LeakAudit(known_ahead=("due_at", "due_at"))
