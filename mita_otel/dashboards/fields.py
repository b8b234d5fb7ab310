"""Units, colours and words of a panel's values."""

from grafana_foundation_sdk.models import dashboard

from mita_otel.dashboards.model import Panel, Query, Steps


def with_fields(made: dashboard.Panel, panel: Panel) -> dashboard.Panel:
    """Give a panel its units, colours and words."""
    if made.field_config is None:
        made.field_config = dashboard.FieldConfigSource()
    if panel.kind == "logs":
        return made
    defaults = made.field_config.defaults
    defaults.unit = panel.unit
    defaults.decimals = panel.decimals
    defaults.max_val = panel.most
    if panel.kind == "bargauge":
        defaults.min_val = 0
    if panel.steps:
        defaults.thresholds = _thresholds(panel.steps)
    if panel.kind in ("stat", "bargauge", "state-timeline"):
        defaults.color = dashboard.FieldColor(mode=dashboard.FieldColorModeId.THRESHOLDS)
    if panel.words:
        defaults.mappings = [_words(panel)]
    made.field_config.overrides = _columns(panel)
    return made


def _words(panel: Panel) -> dashboard.ValueMap:
    return dashboard.ValueMap(
        options={
            f"{value:g}": dashboard.ValueMappingResult(text=text, color=colour, index=index)
            for index, (value, (text, colour)) in enumerate(panel.words.items())
        }
    )


def _columns(panel: Panel) -> list[dashboard.DashboardFieldConfigSourceOverrides]:
    """Return how each column of a table looks, and where it leads: they may all differ."""
    if panel.kind != "table":
        return []
    columns = {query.legend: _properties(query, panel) for query in panel.queries if query.legend}
    for label, (uid, variable) in panel.leads.items():
        # Of the other variables only those that every dashboard has: all of them would choose this one twice.
        kept = "${__url_time_range}&${environment:queryparam}&${service:queryparam}"
        link = {"title": "Look closer", "url": f"/d/{uid}?{kept}&var-{variable}=${{__value.raw}}"}
        columns[panel.headings[label]] = [dashboard.DynamicConfigValue(id_val="links", value=[link])]
    return [
        dashboard.DashboardFieldConfigSourceOverrides(
            matcher=dashboard.MatcherConfig(id_val="byName", options=name), properties=properties
        )
        for name, properties in columns.items()
    ]


def _properties(query: Query, panel: Panel) -> list[dashboard.DynamicConfigValue]:
    made = [dashboard.DynamicConfigValue(id_val="unit", value=query.unit or panel.unit)]
    if query.steps:
        made.append(dashboard.DynamicConfigValue(id_val="thresholds", value=_thresholds(query.steps)))
        made.append(dashboard.DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"}))
    return made


def _thresholds(steps: Steps) -> dashboard.ThresholdsConfig:
    made = [dashboard.Threshold(value=value, color=colour) for value, colour in steps]
    return dashboard.ThresholdsConfig(mode=dashboard.ThresholdsMode.ABSOLUTE, steps=made)
