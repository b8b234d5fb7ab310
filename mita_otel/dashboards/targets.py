"""Queries of panels in Grafana's words."""

from string import ascii_uppercase

from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.models import common, loki, prometheus

from mita_otel.dashboards.model import Panel, Query, Source
from mita_otel.dashboards.sources import SOURCES

_FORMATS = {"table": prometheus.PromQueryFormat.TABLE, "heatmap": prometheus.PromQueryFormat.HEATMAP}


def reference(source: Source) -> common.DataSourceRef:
    """Return the data source that the variable for it names."""
    name, kind, _ = SOURCES[source]
    return common.DataSourceRef(type_val=kind, uid=f"${{{name}}}")


def targets(panel: Panel) -> list[variants.Dataquery]:
    """Return the queries of a panel, as A, B, C."""
    return [
        _logs(query, panel, name) if query.source == "logs" else _metrics(query, panel, name)
        for query, name in zip(panel.queries, ascii_uppercase, strict=False)
    ]


def _metrics(query: Query, panel: Panel, name: str) -> prometheus.Dataquery:
    return prometheus.Dataquery(
        ref_id=name,
        datasource=reference("metrics"),
        expr=query.expr,
        legend_format=query.legend or "__auto",
        format_val=_FORMATS.get(panel.kind, prometheus.PromQueryFormat.TIME_SERIES),
        instant=query.at_once,
        range_val=not query.at_once,
        exemplar=query.exemplars,
        editor_mode=prometheus.QueryEditorMode.CODE,
    )


def _logs(query: Query, panel: Panel, name: str) -> loki.Dataquery:
    return loki.Dataquery(
        ref_id=name,
        datasource=reference("logs"),
        expr=query.expr,
        legend_format=query.legend or None,
        query_type="instant" if query.at_once else "range",
        max_lines=200 if panel.kind == "logs" else None,
        editor_mode=loki.QueryEditorMode.CODE,
    )
