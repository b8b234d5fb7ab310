"""Tells Alertmanager, by its own API, that errors of one origin reached their threshold.

Source: Alertmanager, "Clients": POST /api/v2/alerts.
"""

import json
import logging
import os
import queue
import threading
import urllib.request
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from weakref import ref

from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.metrics import Observation, get_meter

from mita_otel.errors.groups import Alert
from mita_otel.metrics.catalogue.reliability import ERROR_ALERTS

WAITING_AT_MOST: Final = 100
"""Alerts that wait: thresholds and cooldowns let no more than some a minute through."""

TIMEOUT: Final = 2.0
"""Seconds for one delivery: Alertmanager is near, and the log has said it already."""

METER: Final = "mita_otel.errors"
OUTCOMES: Final = ("sent", "failed", "dropped")

_logger: Final = logging.getLogger("mita_otel.errors")


class Alertmanager:
    """Delivers alerts from a thread of its own; never blocks and never raises.

    Args:
        url: of Alertmanager, without the path of its API.
        labels: of every alert, such as the service's name.
    """

    def __init__(self, url: str, labels: Mapping[str, str]) -> None:
        self._url = f"{url.rstrip('/')}/api/v2/alerts"
        self._labels = dict(labels)
        self.outcomes: Counter[str] = Counter(dict.fromkeys(OUTCOMES, 0))
        told = ref(self)
        ERROR_ALERTS.observe(get_meter(METER), lambda _: _observed(told()))
        self._begin()
        os.register_at_fork(after_in_child=self._begin)

    def _begin(self) -> None:
        self._waiting: queue.Queue[Alert] = queue.Queue(WAITING_AT_MOST)
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def tell(self, alert: Alert) -> None:
        """Let an alert be delivered; one that finds no room is counted as `dropped`."""
        try:
            self._waiting.put_nowait(alert)
        except queue.Full:
            self.outcomes["dropped"] += 1
            return
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._deliver, name="mita-alerts", daemon=True)
                self._thread.start()

    def _deliver(self) -> None:
        while True:
            alert = self._waiting.get()
            try:
                self._post(payload(alert, self._labels))
            except (OSError, ValueError) as error:
                self.outcomes["failed"] += 1
                _logger.warning("Alertmanager was not told: %s", type(error).__name__)
            else:
                self.outcomes["sent"] += 1

    def _post(self, body: list[dict[str, Any]]) -> None:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._url, json.dumps(body).encode(), headers, method="POST")  # noqa: S310 - http or https, by the settings
        with suppress_instrumentation(), urllib.request.urlopen(request, timeout=TIMEOUT):  # noqa: S310 - as above
            pass


def _observed(alertmanager: Alertmanager | None) -> Iterable[Observation]:
    outcomes = alertmanager.outcomes.copy() if alertmanager is not None else {}
    return [Observation(number, {"outcome": outcome}) for outcome, number in outcomes.items()]


def payload(alert: Alert, labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return what Alertmanager is sent: it resolves by itself when the cooldown ends without another."""
    occurrence = alert.occurrence
    began = datetime.fromtimestamp(occurrence.at, UTC)
    return [
        {
            "labels": {
                "alertname": "MitaErrorThreshold",
                "severity": alert.severity.value,
                "category": occurrence.kind.category.value,
                "fingerprint": occurrence.fingerprint,
                **labels,
            },
            "annotations": {
                "summary": f"{occurrence.type} ({occurrence.code}) happened {alert.since_last} times",
                "error_id": occurrence.error_id,
                "trace_id": occurrence.trace_id,
                "route": occurrence.route,
                "version": occurrence.version,
            },
            "startsAt": began.isoformat(),
            "endsAt": (began + timedelta(seconds=alert.cools_for)).isoformat(),
        }
    ]
