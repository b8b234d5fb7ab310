"""pyrra's `ServiceLevelObjective`.

Source: https://github.com/pyrra-dev/pyrra/tree/main/kubernetes/api/v1alpha1
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mita_otel.slo.documents import Document
from mita_otel.slo.formats import promql, requests
from mita_otel.slo.formats.drafts import CARRIED, Draft, percent, share
from mita_otel.slo.formats.requests import Counted
from mita_otel.slo.formats.sloth import selector
from mita_otel.slo.windows import DAY, seconds

VERSION: Final = "pyrra.dev/v1alpha1"
KIND: Final = "ServiceLevelObjective"
_SERVICE: Final = "pyrra.dev/service"
_TEAM: Final = "pyrra.dev/team"
_READ: Final = frozenset({"target", "window", "description", "indicator", "alerting"})


def drafts(document: Document) -> Iterator[tuple[tuple[str | int, ...], Draft, Counted | None]]:
    """Yield where the objective is, what it is called and what it counts.

    Raises:
        KeyError, TypeError, ValueError: the file is none of pyrra's.
    """
    metadata, spec = document.value["metadata"], document.value["spec"]
    labels = {str(key): str(value) for key, value in (metadata.get("labels") or {}).items()}
    short = {key.removeprefix("pyrra.dev/"): value for key, value in labels.items()}
    draft = Draft(
        name=str(metadata["name"]),
        service=labels.get(_SERVICE) or str(metadata.get("namespace") or metadata["name"]),
        target=share(spec["target"]),
        description=str(spec.get("description") or ""),
        period=_period(str(spec["window"])),
        labels=short,
        carried=(metadata.get("annotations") or {}).get(CARRIED),
    )
    if draft.carried is not None:
        yield ("spec",), draft, None
        return
    for key in spec.keys() - _READ:
        draft.note(("spec", key), "is left out")
    if spec.get("alerting"):
        draft.note(("spec", "alerting"), "is left out: alerts are made of the objective")
    for key in labels.keys() - {_SERVICE, _TEAM}:
        draft.note(("metadata", "labels", key), f"the label {key} is left out")
    yield ("spec",), draft, _counted(draft, spec["indicator"])


def _period(window: str) -> str:
    """Return a window in days; `2w` and `1w2d` are days, too."""
    parts = re.findall(r"\d+[a-z]+", window)
    if "".join(parts) != window or not parts:
        raise ValueError(f"{window!r} is no duration")
    length = sum(map(seconds, parts))
    return f"{length / DAY:g}d"


def _counted(draft: Draft, indicator: Mapping[str, Any]) -> Counted | None:
    [kind] = indicator
    told, place = indicator[kind], ("spec", "indicator", kind)
    if told.get("grouping"):
        draft.note((*place, "grouping"), "is left out: an objective is one, whatever its events have in common")
    try:
        found = _read(kind, told)
    except ValueError as error:
        draft.note(place, f"{error}: the service has to tell of it, by slo.event({draft.name!r}, good=...)")
        return None
    for sentence in found.notes:
        draft.note((*place, "total", "metric"), sentence)
    return found


def _read(kind: str, told: Mapping[str, Any]) -> Counted:
    if kind == "ratio":
        return requests.by_status(_selector(told, "errors"), _selector(told, "total"))
    if kind == "latency":
        return requests.by_duration(_selector(told, "success"), _selector(told, "total"))
    if kind == "latencyNative":
        return requests.within(seconds(str(told["latency"])), _selector(told, "total"))
    raise ValueError(f"is a {kind}")


def _selector(told: Mapping[str, Any], name: str) -> promql.Selector:
    return promql.selector(str(told[name]["metric"]))


def written(each: Mapping[str, Any], carried: str) -> dict[str, Any]:
    """Return pyrra's document of an objective.

    Args:
        each: as OpenSLO has it.
        carried: our own definition.
    """
    name, spec, labels = each["metadata"]["name"], each["spec"], each["metadata"]["labels"]
    window = spec["timeWindow"][0]
    return {
        "apiVersion": VERSION,
        "kind": KIND,
        "metadata": {
            "name": name,
            "labels": {_SERVICE: spec["service"], _TEAM: labels["owner"], **_more(labels)},
            "annotations": {CARRIED: carried},
        },
        "spec": {
            "target": f"{percent(spec['objectives'][0]['target']):.10g}",
            "window": window["duration"] if window["isRolling"] else {"1w": "7d"}.get(window["duration"], "30d"),
            "description": spec["description"],
            "indicator": {
                "ratio": {
                    "errors": {"metric": str(selector(name, bad=True))},
                    "total": {"metric": str(selector(name))},
                }
            },
        },
    }


def _more(labels: Mapping[str, str]) -> dict[str, str]:
    return {f"pyrra.dev/{key}": labels[key] for key in ("tier", "type")}
