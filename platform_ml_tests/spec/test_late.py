import pytest

from platform_ml.spec.errors import DeclarationError
from platform_ml.spec.late import Late


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"days": -1}, "Late: days -1 is not from 0 to 366"),
        ({"days": 367}, "Late: days 367 is not from 0 to 366"),
        ({"keep": "erlier"}, r"Late: keep 'erlier' is not known\. Did you mean 'earlier'\?"),
        ({"keep": "later"}, "To keep the later row would change a partition that is done"),
    ],
)
def test_a_wrong_policy_cannot_be_declared(changes, message):
    with pytest.raises(DeclarationError, match=message):
        Late(**changes)
