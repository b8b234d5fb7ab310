"""Tells Alertmanager, by its own API, that errors of one origin reached their threshold.

Source: Alertmanager, "Clients": POST /api/v2/alerts.
"""

import json
import logging
import os
import queue
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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

PAUSES: Final = (1.0, 4.0, 15.0)
"""Seconds between deliveries of one alert: an Alertmanager that is started anew is back by then."""

_SERVER_ERROR: Final = 500
_TOO_MANY: Final = 429

METER: Final = "mita_otel.errors"
OUTCOMES: Final = ("sent", "failed", "dropped")

_logger: Final = logging.getLogger("mita_otel.errors")


class Alertmanager:
    """Delivers alerts from a thread of its own; never blocks and never raises.

    Args:
        url: of Alertmanager, without the path of its API.
        labels: of every alert, such as the service's name.
        pauses: seconds before it is tried again; after the last one it has failed.
    """

    def __init__(self, url: str, labels: Mapping[str, str], pauses: Sequence[float] = PAUSES) -> None:
        self._url = f"{url.rstrip('/')}/api/v2/alerts"
        self._labels = dict(labels)
        self._pauses = tuple(pauses)
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
            self.outcomes[self._told(payload(self._waiting.get(), self._labels))] += 1

    def _told(self, body: list[dict[str, Any]]) -> str:
        """Deliver, again if it may help; return what became of it."""
        reason = ""
        for pause in (0.0, *self._pauses):
            time.sleep(pause)
            try:
                self._post(body)
            except (OSError, ValueError) as error:
                reason = type(error).__name__
                if not _may_pass(error):
                    break
            else:
                return "sent"
        _logger.warning("Alertmanager was not told: %s", reason)
        return "failed"

    def _post(self, body: list[dict[str, Any]]) -> None:
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(self._url, json.dumps(body).encode(), headers, method="POST")  # noqa: S310 - http or https, by the settings
        with suppress_instrumentation(), urllib.request.urlopen(request, timeout=TIMEOUT):  # noqa: S310 - as above
            pass


def _may_pass(error: Exception) -> bool:
    """Say whether another delivery may end otherwise: not where Alertmanager does not like what it was sent."""
    if isinstance(error, urllib.error.HTTPError):
        return error.code >= _SERVER_ERROR or error.code == _TOO_MANY
    return isinstance(error, OSError)


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
