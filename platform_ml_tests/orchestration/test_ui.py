from platform_ml.orchestration.alert_sinks import UI_URL
from platform_ml.orchestration.ui import environment


def test_links_lead_to_the_port_that_is_served(monkeypatch):
    monkeypatch.delenv(UI_URL, raising=False)
    assert environment(3777)[UI_URL] == "http://localhost:3777"


def test_where_people_open_it_is_for_them_to_say(monkeypatch):
    monkeypatch.setenv(UI_URL, "https://dagster.example.org")
    assert environment(3777)[UI_URL] == "https://dagster.example.org"
