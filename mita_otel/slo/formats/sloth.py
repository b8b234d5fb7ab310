"""sloth's `prometheus/v1`.

Source: https://sloth.dev/specs/default/
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mita_otel.slo.documents import Document
from mita_otel.slo.formats import promql, requests
from mita_otel.slo.formats.drafts import CARRIED, Draft, percent, share
from mita_otel.slo.formats.requests import Counted

VERSION: Final = "prometheus/v1"
PERIOD: Final = "30d"
"""What sloth takes where its command line says nothing else; the file does not say."""


def drafts(document: Document) -> Iterator[tuple[tuple[str | int, ...], Draft, Counted | None]]:
    """Yield where each objective is, what it is called and what it counts.

    Raises:
        KeyError, TypeError, ValueError: the file is none of sloth's.
    """
    value = document.value
    whole = _texts(value.get("labels"))
    for number, each in enumerate(value["slos"]):
        place = ("slos", number)
        alerting = each.get("alerting") or {}
        draft = Draft(
            name=str(each["name"]),
            service=str(value["service"]),
            target=share(each["objective"]),
            description=str(each.get("description") or ""),
            labels=whole | _texts(each.get("labels")),
            carried=(alerting.get("annotations") or {}).get(CARRIED),
        )
        if draft.carried is None:
            _note(draft, (*place,), each, alerting)
        yield place, draft, None if draft.carried is not None else _counted(draft, (*place, "sli"), each["sli"])
    for key in value.keys() - {"version", "service", "labels", "slos"}:
        raise KeyError(key)


def _note(draft: Draft, place: tuple[str | int, ...], each: Mapping[str, Any], alerting: Mapping[str, Any]) -> None:
    draft.note(place, f"sloth's file has no period: {PERIOD} is taken")
    for key in alerting.keys() - {"name"}:
        draft.note((*place, "alerting", key), "is left out: alerts are made of the objective")
    for key in each.keys() - {"name", "objective", "description", "labels", "sli", "alerting"}:
        draft.note((*place, key), "is left out")
    for key in draft.labels.keys() - {"tier", "owner", "team", "type", "category"}:
        draft.note((*place, "labels", key), f"the label {key} is left out")


def _counted(draft: Draft, place: tuple[str | int, ...], sli: Mapping[str, Any]) -> Counted | None:
    events = sli.get("events")
    if events is None:
        draft.note((*place, *list(sli)[:1]), _TOLD.format(what="is no count of events", event=draft.name))
        return None
    place = (*place, "events")
    try:
        found = _read(str(events["total_query"]), str(events["error_query"]))
    except ValueError as error:
        draft.note((*place, "error_query"), _TOLD.format(what=str(error), event=draft.name))
        return None
    for sentence in found.notes:
        draft.note((*place, "total_query"), sentence)
    return found


def _read(total: str, errors: str) -> Counted:
    every, less = promql.counted(total)
    if less is not None:
        raise ValueError("takes something off all")
    bad, good = promql.counted(errors)
    if good is None:
        return requests.by_status(bad, every)
    if bad != every:
        raise ValueError("takes the good ones off something else than all")
    return requests.by_duration(good, every)


_TOLD: Final = "{what}: the service has to tell of it, by slo.event({event!r}, good=...)"


def _texts(labels: Any) -> dict[str, str]:
    return {str(key): str(value) for key, value in (labels or {}).items()}


def written(service: str, objectives: Sequence[tuple[Mapping[str, Any], str]]) -> dict[str, Any]:
    """Return sloth's document of a service's objectives.

    Args:
        service: what it is called.
        objectives: as OpenSLO has them, and what carries our own definition.
    """
    return {"version": VERSION, "service": service, "slos": [_slo(each, carried) for each, carried in objectives]}


def _slo(each: Mapping[str, Any], carried: str) -> dict[str, Any]:
    name, spec = each["metadata"]["name"], each["spec"]
    rate = "sum(rate({}[{{{{.window}}}}]))"
    return {
        "name": name,
        "objective": percent(spec["objectives"][0]["target"]),
        "description": spec["description"],
        "labels": dict(each["metadata"]["labels"]),
        "sli": {
            "events": {
                "error_query": rate.format(selector(name, bad=True)),
                "total_query": rate.format(selector(name)),
            }
        },
        "alerting": {"name": "MitaErrorBudgetBurn", "annotations": {CARRIED: carried}},
    }


def selector(name: str, *, bad: bool = False) -> promql.Selector:
    """Return the series that count an objective's events."""
    matchers = (promql.Matcher("slo", "=", name), *([promql.Matcher("outcome", "=", "bad")] if bad else []))
    return promql.Selector("mita_slo_events_total", matchers)
