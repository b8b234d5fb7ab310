"""A service that stops while the receiver is away loses nothing: the next one delivers it."""

from pathlib import Path

from tests.fixtures.otlp_receiver import OtlpReceiver
from tests.fixtures.polling import eventually
from tests.integration.service.conftest import Launch


def test_what_a_service_could_not_deliver_is_delivered_by_the_next_one(
    launch: Launch, otlp_receiver: OtlpReceiver, tmp_path: Path
) -> None:
    spool = tmp_path / "spool"
    variables = {"MITA_EXPORT_SPOOL_DIRECTORY": str(spool), "MITA_SHUTDOWN_TIMEOUT": "2"}
    with otlp_receiver.away():
        service = launch(**variables)
        for number in range(5):
            service.client.get(f"/items/{number}", headers={"x-correlation-id": f"order-{number}"})
        service.stop()
    assert otlp_receiver.spans == []
    assert {path.parent.parent.name for path in spool.rglob("*.otlp")} == {"traces", "logs"}
    launch(**variables)
    eventually(lambda: len(otlp_receiver.spans) == 5)
    found = {span["attributes"]["correlation_id"] for span in otlp_receiver.spans}
    assert found == {f"order-{number}" for number in range(5)}
    eventually(lambda: {f"item {number} read" for number in range(5)} <= {r["body"] for r in otlp_receiver.log_records})
    eventually(lambda: not list(spool.rglob("*.otlp")))
