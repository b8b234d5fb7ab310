"""Dashboards as Grafana's files want them: its classic model, which is the one that Grafana 13 takes from files."""

import json
from typing import Any, Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common, dashboard, prometheus

from mita_otel.dashboards.fields import with_fields
from mita_otel.dashboards.kinds import KINDS
from mita_otel.dashboards.model import WIDTH, Board, Panel, Source
from mita_otel.dashboards.sources import SOURCES, VARIABLES, Annotation, Variable, annotations
from mita_otel.dashboards.targets import reference, targets

TAG: Final = "mita"
"""What our dashboards find each other by."""

_STEP: Final = "15s"
"""Time between two samples at least: the default of `OTEL_METRIC_EXPORT_INTERVAL` here, and of the rules."""

_IN_A_MENU: Final = dashboard.DashboardLinkPlacement.IN_CONTROLS_MENU

_NO_INTERVAL: Final[dict[str, None]] = {"auto": None, "auto_min": None, "auto_count": None}
"""What the SDK would give every variable, and only one of another type has."""


def text(board: Board) -> str:
    """Return the file of a dashboard."""
    made = json.loads(json.dumps(_dashboard(board), cls=JSONEncoder))
    return json.dumps(_shown(made), indent=1, ensure_ascii=False) + "\n"


def _dashboard(board: Board) -> dashboard.Dashboard:
    return dashboard.Dashboard(
        uid=board.uid,
        title=f"MITA / {board.title}",
        description=board.description,
        tags=[TAG],
        graph_tooltip=dashboard.DashboardCursorSync.CROSSHAIR,
        time=dashboard.DashboardDashboardTime(f"now-{board.time}", "now"),
        refresh="30s",
        links=[_others()],
        templating=dashboard.DashboardDashboardTemplating(
            [*map(_data_source, SOURCES), *(_variable(VARIABLES[name]) for name in board.variables)]
        ),
        annotations=dashboard.AnnotationContainer([_annotation(one) for one in annotations()]),
        panels=_laid_out(board),
    )


def _others() -> dashboard.DashboardLink:
    return dashboard.DashboardLink(
        title="Dashboards",
        type_val=dashboard.DashboardLinkType.DASHBOARDS,
        tags=[TAG],
        include_vars=True,
        keep_time=True,
    )


def _data_source(source: Source) -> dashboard.VariableModel:
    name, kind, usual = SOURCES[source]
    return dashboard.VariableModel(
        type_val=dashboard.VariableType.DATASOURCE,
        name=name,
        label=usual,
        query=kind,
        current=dashboard.VariableOption(text=usual, value=kind),
        refresh=dashboard.VariableRefresh.ON_DASHBOARD_LOAD,
        **_NO_INTERVAL,
    )


def _variable(variable: Variable) -> dashboard.VariableModel:
    return dashboard.VariableModel(
        type_val=dashboard.VariableType.QUERY,
        name=variable.name,
        label=variable.label,
        description=variable.description,
        datasource=reference("metrics"),
        query={"qryType": 1, "query": variable.query, "refId": f"variable-{variable.name}"},
        current=dashboard.VariableOption(text=["All"], value=["$__all"]),
        multi=True,
        include_all=True,
        all_value=variable.everything,
        refresh=dashboard.VariableRefresh.ON_TIME_RANGE_CHANGED,
        sort=dashboard.VariableSort.NATURAL_ASC,
        **_NO_INTERVAL,
    )


def _annotation(annotation: Annotation) -> dashboard.AnnotationQuery:
    return dashboard.AnnotationQuery(
        name=annotation.name,
        datasource=reference("metrics"),
        icon_color=annotation.colour,
        target=prometheus.Dataquery(expr=annotation.expr, ref_id="Anno", interval=_STEP),
        title_format=annotation.title,
        text_format=annotation.text,
    )


def _laid_out(board: Board) -> list[dashboard.Panel | dashboard.RowPanel]:
    """Place panels from left to right, and a new line where one does not fit."""
    placed: list[dashboard.Panel | dashboard.RowPanel] = []
    x, y, tallest = 0, 0, 0
    for row in board.rows:
        y += tallest
        place = dashboard.GridPos(h=1, w=WIDTH, x=0, y=y)
        placed.append(dashboard.RowPanel(id_val=len(placed) + 1, title=row.title, grid_pos=place))
        x, y, tallest = 0, y + 1, 0
        for panel in row.panels:
            if x + panel.width > WIDTH:
                x, y, tallest = 0, y + tallest, 0
            place = dashboard.GridPos(h=panel.height, w=panel.width, x=x, y=y)
            placed.append(_panel(panel, len(placed) + 1, place, at=board.uid))
            x, tallest = x + panel.width, max(tallest, panel.height)
    return placed


def _panel(panel: Panel, number: int, place: dashboard.GridPos, *, at: str) -> dashboard.Panel:
    made = with_fields(KINDS[panel.kind](panel), panel)
    made.id_val = number
    made.title = panel.title
    made.description = panel.description
    made.grid_pos = place
    made.interval = _STEP
    made.targets = targets(panel)
    made.datasource = _only_source(panel)
    made.time_from = panel.since or None
    if panel.next not in ("", at):
        url = f"/d/{panel.next}?${{__url_time_range}}&${{__all_variables}}"
        made.links = [dashboard.DashboardLink(title="Look closer", url=url)]
    return made


def _only_source(panel: Panel) -> common.DataSourceRef:
    sources = {query.source for query in panel.queries}
    return reference(sources.pop()) if len(sources) == 1 else common.DataSourceRef("datasource", "-- Mixed --")


def _shown(made: Any) -> Any:
    """Return links and annotations where one sees them: the SDK has them all in a menu."""
    if isinstance(made, dict):
        return {name: _shown(value) for name, value in made.items() if (name, value) != ("placement", _IN_A_MENU)}
    return [_shown(value) for value in made] if isinstance(made, list) else made
