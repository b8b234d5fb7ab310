"""Errors that reach their threshold, in the real Alertmanager."""

import time
from dataclasses import replace
from uuid import uuid4

import httpx
import pytest

from mita_otel.errors import Severity
from mita_otel.errors.alerting import Alertmanager
from mita_otel.errors.groups import Alert
from mita_otel.stack import NativeStack
from tests.fixtures.polling import eventually
from tests.unit.errors.test_groups import ERROR

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(300)]


def test_an_alert_is_taken_with_its_labels_and_ends_by_itself(stack: NativeStack) -> None:
    stack.up(standard=False)
    fingerprint, now = uuid4().hex[:16], time.time()
    occurrence = replace(ERROR, fingerprint=fingerprint, at=now)
    alertmanager = Alertmanager(stack.endpoints.alertmanager, {"service_name": "shop"})
    alertmanager.tell(Alert(severity=Severity.HIGH, occurrence=occurrence, since_last=3, cools_for=900.0))
    asked = {"filter": f'fingerprint="{fingerprint}"'}

    def told() -> list[dict[str, dict[str, str]]]:
        return list(httpx.get(f"{stack.endpoints.alertmanager}/api/v2/alerts", params=asked).json())

    (alert,) = eventually(told)
    assert alert["labels"] == {
        "alertname": "MitaErrorThreshold",
        "severity": "high",
        "category": "system",
        "fingerprint": fingerprint,
        "service_name": "shop",
    }
    assert alert["status"]["state"] == "active"
    alertmanager.tell(Alert(severity=Severity.HIGH, occurrence=occurrence, since_last=3, cools_for=0.0))
    eventually(lambda: not told())
