import pytest

from platform_ml.families.threads import threads
from platform_ml.spec.errors import PlatformError


def test_one_unless_the_environment_says_more(monkeypatch):
    monkeypatch.delenv("PLATFORM_ML_THREADS", raising=False)
    assert threads() == 1
    monkeypatch.setenv("PLATFORM_ML_THREADS", "4")
    assert threads() == 4


@pytest.mark.parametrize("said", ["0", "-1", "many", "", "1.5"])
def test_what_is_no_number_of_threads_is_refused(said, monkeypatch):
    monkeypatch.setenv("PLATFORM_ML_THREADS", said)
    with pytest.raises(PlatformError, match=r"PLATFORM_ML_THREADS is .* Set it to a whole number above 0"):
        threads()
