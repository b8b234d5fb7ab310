"""Counts each request, as it ends, for the service's objectives."""

import time

from mita_otel.web.exchange import Exchange, known_method

_FAILED = 500


def count(exchange: Exchange, failure: BaseException | None) -> None:
    """Count a request for the objectives that the process had when it came.

    One that failed before its answer was complete failed, whatever status it began with. One whose client left before
    is not counted, and neither is one that was cancelled: nobody was there to be failed.

    Args:
        exchange: what is known of the request.
        failure: what left the application.
    """
    objectives = exchange.objectives
    if objectives is None:
        return
    status, ended = exchange.status, exchange.ended
    if not ended:
        if exchange.disconnected or (failure is not None and not isinstance(failure, Exception)):
            return
        status, ended = _FAILED, time.perf_counter()
    objectives.events.request(
        known_method(exchange.scope) or "_OTHER", exchange.template() or "", status, ended - exchange.opened, failure
    )
