"""What the alerts' own table says, in the pages that people write about them: numbers are written down once."""

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final

from mita_otel.alerts import ALERTS, LOGS, Alert
from mita_otel.alerts.inhibitions import INHIBITIONS

FOLDER: Final = "docs/runbooks"
INDEX: Final = f"{FOLDER}/index.md"

_BLOCK: Final = re.compile(r"<!-- (alerts?) -->\n.*?<!-- end -->", re.DOTALL)
_RANGE: Final = re.compile(r"\{\{ range .*\{\{ end \}\}")
_LABEL: Final = re.compile(r"\{\{ \$labels\.(\w+)[^}]*\}\}")
_VALUE: Final = re.compile(r"\{\{ \$value[^}]*\}\}")

_SEVERITIES: Final[Mapping[str, str]] = {
    "critical": "Somebody is woken",
    "warning": "Somebody looks at it in working hours",
    "info": "It is only shown",
}
"""What each means, the gravest first."""


def page(alert: Alert, written: str) -> str:
    """Return an alert's page with what is generated of it renewed.

    Raises:
        ValueError: the page has no place for it.
    """
    return _renewed(written, "alert", "\n".join(_head(alert)))


def index(written: str) -> str:
    """Return the list of pages with its table renewed.

    Raises:
        ValueError: the page has no place for it.
    """
    return _renewed(written, "alerts", "\n".join(_table()))


PAGES: Final[Mapping[str, Callable[[str], str]]] = {
    INDEX: index,
    **{f"{FOLDER}/{alert.runbook}.md": partial(page, alert) for alert in ALERTS},
}
"""Every page, and what renews it."""


def _renewed(written: str, name: str, text: str) -> str:
    whole = f"<!-- {name} -->\n\n{text}\n\n<!-- end -->"
    renewed, places = _BLOCK.subn(lambda found: whole if found[1] == name else found[0], written)
    if places != 1 or whole not in renewed:
        raise ValueError(f"the page needs one place between <!-- {name} --> and <!-- end -->")
    return renewed


def _head(alert: Alert) -> Iterable[str]:
    causes = sorted({cause for each in INHIBITIONS if alert.name in each.symptoms for cause in each.cause})
    pages = {each.name: each.runbook for each in ALERTS}
    yield "| Severity | Tier | Category | Holds for | Goes on for | Held back by |"
    yield "|---|---|---|---|---|---|"
    cells = (
        alert.severity,
        "the objective's" if alert.tier is None else str(alert.tier),
        alert.category,
        alert.lasting or "at once",
        alert.keep or "-",
        ", ".join(f"[{cause}]({pages[cause]}.md)" for cause in causes) or "-",
    )
    yield f"| {' | '.join(cells)} |"
    yield ""
    yield _plain(alert.description)
    yield ""
    yield f"```{'logql' if alert in LOGS else 'promql'}"
    yield alert.expression
    yield "```"


def _plain(template: str) -> str:
    """Return a template as a sentence: labels by their names, values as what they are."""
    named = _LABEL.sub(r"*\1*", _RANGE.sub(" those of each window", template))
    return _VALUE.sub("*value*", named)


def _table() -> Iterable[str]:
    yield "| Alert | Tier | Category | It says |"
    yield "|---|---|---|---|"
    for severity, meaning in _SEVERITIES.items():
        yield f"| **{severity}**: {meaning.lower()} | | | |"
        for alert in ALERTS:
            if alert.severity == severity:
                tier = "-" if alert.tier is None else str(alert.tier)
                yield f"| [{alert.name}]({alert.runbook}.md) | {tier} | {alert.category} | {_plain(alert.summary)} |"
