"""Dashboards for Grafana, as code; `python -m mita_otel.generate` writes them to `collector/grafana/dashboards/`."""

from mita_otel.dashboards.uids import UIDS, path

__all__ = ["UIDS", "path"]
