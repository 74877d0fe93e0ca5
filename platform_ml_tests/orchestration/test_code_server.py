"""A look after runs that fails is not the last; with real processes: deployment/test_faults.py."""

from dagster._grpc.server import DagsterApiServer

from platform_ml.orchestration import code_server
from platform_ml.orchestration.code_server import LOST, keep_looking


def test_a_look_that_fails_is_told_and_is_no_end(caplog):
    def look(_):
        raise ConnectionError("The database is away.")

    code_server._patient(look)(None)
    assert f"{LOST}: The database is away." in caplog.text


def test_the_code_server_of_a_process_is_made_patient_once():
    keep_looking()
    patient = getattr(DagsterApiServer, code_server.CHECK)
    keep_looking()
    assert getattr(DagsterApiServer, code_server.CHECK) is patient
    assert patient.__wrapped__.__name__ == code_server.CHECK
