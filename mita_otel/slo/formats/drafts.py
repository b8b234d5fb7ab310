"""OpenSLO documents, made of what other tools' files say."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mita_otel.metrics.catalogue.http import SERVER_REQUEST_DURATION
from mita_otel.slo.formats.requests import Counted

CARRIED: Final = "mita_openslo"
"""The annotation that holds our own definition of an objective."""

_TYPES: Final = frozenset({"correctness", "accuracy", "freshness", "delivery"})
_TIERS: Final = frozenset({"1", "2", "3"})


@dataclass(slots=True)
class Draft:
    """An objective of another tool's file.

    Attributes:
        name: as it is called there.
        service: the part of the service that it is about.
        target: the share that has to be good.
        description: a sentence.
        period: its rolling window.
        labels: of the objective.
        carried: our own definition, if the file is one that we exported.
        notes: what cannot be carried over, by the field that says it.
    """

    name: str
    service: str
    target: float
    description: str = ""
    period: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    carried: str | None = None
    notes: list[tuple[tuple[str | int, ...], str]] = field(default_factory=list)

    def note(self, place: tuple[str | int, ...], sentence: str) -> None:
        """Take note of what cannot be carried over."""
        self.notes.append((place, sentence))

    def documents(self, counted: Counted | None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return a service and an objective.

        Args:
            counted: requests; None where it counts events that the service has to tell of.
        """
        ours = self._ours()
        if ours is not None:
            return ours
        owner = self.labels.get("owner") or self.labels.get("team") or self.service
        total, good, about = self._indicator(counted)
        name = named(self.name)
        labels = {"tier": self.tier, "owner": named(owner), "type": about}
        objective = {
            "apiVersion": "openslo/v1",
            "kind": "SLO",
            "metadata": {"name": name, **({"displayName": self.name} if self.name != name else {}), "labels": labels},
            "spec": {
                "description": self.description.strip() or self.name,
                "service": named(self.service),
                "indicator": {
                    "metadata": {"name": name},
                    "spec": {
                        "ratioMetric": {
                            "counter": True,
                            "good": {"metricSource": good},
                            "total": {"metricSource": total},
                        }
                    },
                },
                "timeWindow": [{"duration": self.period or "30d", "isRolling": True}],
                "budgetingMethod": "Occurrences",
                "objectives": [{"target": self.target}],
            },
        }
        return service_document(self.service), objective

    @property
    def tier(self) -> str:
        """The tier of its labels; 2 where these have none."""
        tier = self.labels.get("tier", "")
        return tier if tier in _TIERS else "2"

    def _indicator(self, counted: Counted | None) -> tuple[dict[str, Any], dict[str, Any], str]:
        if counted is None:
            event = named(self.name)
            about = self.labels.get("type", self.labels.get("category", ""))
            total = {"type": "MitaEvents", "spec": {"events": [event]}}
            good = {"type": "MitaEvents", "spec": {"events": [event], "outcome": "good"}}
            return total, good, about if about in _TYPES else "correctness"
        total = {"type": "MitaRequests", "spec": {"routes": list(counted.routes)}}
        if counted.threshold is None:
            return total, {"type": "MitaRequests", "spec": {"statusBelow": 500}}, "availability"
        limit = {"within": f"{round(counted.threshold * 1000, 6):g}ms", "metric": SERVER_REQUEST_DURATION.name}
        return total, {"type": "MitaRequests", "spec": limit}, "latency"

    def _ours(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return what the annotation holds; what was changed around it since is so."""
        try:
            held = json.loads(self.carried or "null")
            service, objective = held["service"], held["slo"]
            if abs(objective["spec"]["objectives"][0]["target"] - self.target) > 1e-12:  # noqa: PLR2004 - a rounding
                objective["spec"]["objectives"][0]["target"] = self.target
            window = objective["spec"]["timeWindow"][0]
            if self.period is not None and window["isRolling"]:
                window["duration"] = self.period
        except (ValueError, KeyError, TypeError, IndexError):
            return None
        return service, objective


def service_document(name: str) -> dict[str, Any]:
    """Return the document of a service."""
    return {
        "apiVersion": "openslo/v1",
        "kind": "Service",
        "metadata": {"name": named(name)},
        "spec": {"description": name},
    }


def named(text: str) -> str:
    """Return a name as OpenSLO allows it: lower-case letters, digits and hyphens, 63 at most."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63].strip("-") or "unnamed"


def share(percent: object) -> float:
    """Return the share of a percentage.

    Raises:
        ValueError: it is none.
    """
    return round(float(str(percent)) / 100, 12)


def percent(share: float) -> float:
    """Return the percentage of a share, without the digits that a float adds."""
    return round(share * 100, 10)
