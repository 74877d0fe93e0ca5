from platform_ml.spec.reason import SAYS, Reason, reason_says


def test_every_reason_is_a_sentence():
    assert set(SAYS) == set(Reason)
    assert all(says.endswith(".") for says in SAYS.values())


def test_a_reason_of_a_later_version_is_shown_as_it_is():
    assert reason_says("full_moon") == "full_moon."
    assert reason_says("manual", "For a test.") == "Manual: somebody asked for it. For a test."
