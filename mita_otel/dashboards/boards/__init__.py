"""The dashboards, one a file."""

from mita_otel.dashboards.boards import business, overview, performance, reliability, service, slo, telemetry
from mita_otel.dashboards.model import Board
from mita_otel.slo.specification import Specification

_ALL = (overview, business, performance, reliability, slo, service, telemetry)


def boards(specification: Specification) -> tuple[Board, ...]:
    """Return all dashboards, with the thresholds of what is promised."""
    return tuple(module.board(specification) for module in _ALL)
