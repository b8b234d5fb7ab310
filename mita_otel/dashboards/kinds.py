"""How each kind of panel looks."""

from collections.abc import Callable, Mapping
from typing import Final

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    heatmap,
    logs,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.models import common as enums
from grafana_foundation_sdk.models import dashboard
from grafana_foundation_sdk.models import heatmap as heat
from grafana_foundation_sdk.models import table as tables

from mita_otel.dashboards.model import Kind, Panel


def _timeseries(panel: Panel) -> dashboard.Panel:
    builder = (
        timeseries.Panel()
        .line_width(1)
        .fill_opacity(30 if panel.stacked else 8)
        .show_points(enums.VisibilityMode.NEVER)
        .tooltip(common.VizTooltipOptions().mode(enums.TooltipDisplayMode.MULTI).sort(enums.SortOrder.DESCENDING))
        .legend(_legend())
    )
    if panel.from_zero:
        builder.axis_soft_min(0)
    if panel.stacked:
        builder.stacking(common.StackingConfig().mode(enums.StackingMode.NORMAL))
    if panel.steps:
        builder.thresholds_style(common.GraphThresholdsStyleConfig().mode(enums.GraphThresholdsStyleMode.DASHED))
    return builder.build()


def _legend() -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .show_legend(show_legend=True)
        .display_mode(enums.LegendDisplayMode.TABLE)
        .placement(enums.LegendPlacement.BOTTOM)
        .calcs(["lastNotNull", "max"])
    )


def _newest() -> common.ReduceDataOptions:
    return common.ReduceDataOptions().calcs(["lastNotNull"])


def _stat(panel: Panel) -> dashboard.Panel:
    graph = enums.BigValueGraphMode.NONE if panel.queries[0].at_once else enums.BigValueGraphMode.AREA
    colour = enums.BigValueColorMode.VALUE if panel.steps or panel.words else enums.BigValueColorMode.NONE
    return stat.Panel().graph_mode(graph).color_mode(colour).reduce_options(_newest()).build()


def _bargauge(_panel: Panel) -> dashboard.Panel:
    return (
        bargauge.Panel()
        .orientation(enums.VizOrientation.HORIZONTAL)
        .display_mode(enums.BarGaugeDisplayMode.GRADIENT)
        .value_mode(enums.BarGaugeValueMode.COLOR)
        .reduce_options(_newest())
        .build()
    )


def _heatmap(panel: Panel) -> dashboard.Panel:
    made = heatmap.Panel().calculate(calculate=False).show_legend().build()
    assert isinstance(made.options, heat.Options)  # noqa: S101 - the builder's own
    made.options.color = heat.HeatmapColorOptions(
        mode=heat.HeatmapColorMode.SCHEME,
        scheme="Turbo",
        scale=heat.HeatmapColorScale.EXPONENTIAL,
        exponent=0.5,
        steps=64,
    )
    made.options.y_axis = heat.YAxisConfig(unit=panel.unit)
    return made


def _timeline(_panel: Panel) -> dashboard.Panel:
    return (
        statetimeline.Panel()
        .merge_values(merge_values=True)
        .show_value(enums.VisibilityMode.AUTO)
        .line_width(0)
        .fill_opacity(80)
        .legend(common.VizLegendOptions().show_legend(show_legend=False))
        .build()
    )


def _logs(_panel: Panel) -> dashboard.Panel:
    return (
        logs.Panel()
        .show_time(show_time=True)
        .wrap_log_message(wrap_log_message=True)
        .enable_log_details(enable_log_details=True)
        .sort_order(enums.LogsSortOrder.DESCENDING)
        .build()
    )


def _table(panel: Panel) -> dashboard.Panel:
    builder = table.Panel().cell_height(enums.TableCellHeight.SM)
    first = panel.queries[0].legend
    if first:
        builder.sort_by([common.TableSortByFieldState().display_name(first).desc(desc=True)])
    made = builder.cell_options(enums.TableAutoCellOptions()).build()
    assert isinstance(made.options, tables.Options)  # noqa: S101 - the builder's own
    made.options.footer = None  # Grafana 13 has none any more
    several = len(panel.queries) > 1
    values = {f"Value #{chr(ord('A') + i)}" if several else "Value": q.legend for i, q in enumerate(panel.queries)}
    made.transformations = [
        *([dashboard.DataTransformerConfig(id_val="merge", options={})] if several else []),
        dashboard.DataTransformerConfig(
            id_val="organize",
            options={"excludeByName": {"Time": True}, "renameByName": {**panel.headings, **values}},
        ),
    ]
    return made


KINDS: Final[Mapping[Kind, Callable[[Panel], dashboard.Panel]]] = {
    "timeseries": _timeseries,
    "stat": _stat,
    "bargauge": _bargauge,
    "heatmap": _heatmap,
    "state-timeline": _timeline,
    "logs": _logs,
    "table": _table,
}
