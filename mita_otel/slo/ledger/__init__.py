"""The budget ledger: what the bad events of each objective have in common, and traces to look at.

Each bad event is put down once in every dimension: the template of its route, the type of its error, the dependency
that failed or took most of its time, the version of the service, and the flags that were evaluated for it; `none` where
there was none, `other` beyond 50 contributors of a dimension and objective. So the contributors of a dimension always
add up to the bad events.

`GET /slo/explain` and `mita-otel slo explain --json` answer:

    {
      "source": "process",                          who was asked: "process" or "prometheus"
      "scope": "process",                           of whom that tells: "process" or "service"
      "generated_at": "2026-11-25T01:30:00.000+00:00",
      "slos": [                                     those that spent most of their budgets first
        {
          "id": "orders-availability", "title": "...", "service": "shop", "owner": "shop", "tier": 1,
          "objective": 0.999,
          "window": {"start": "...", "end": "...", "seconds": 2592000.0, "period": "30d"},
          "coverage": 0.98,                         share of the window that was watched; null where nobody knows
          "bad": 12, "total": 4000,                 events of the window
          "spent_ratio": 3.0,                       of the budget that the window's events allow; null without events
          "contributors": {                         by dimension, the biggest first
            "route": [
              {
                "contributor": "/orders/{id}",
                "bad": 9,
                "share": 0.75,                      of the objective's bad events
                "spent_ratio": 2.25,                of the budget
                "traces": [{"trace_id": "...", "at": "...", "url": "http://.../trace/..."}]    the newest, 3 at most
              }
            ],
            "error_type": [...], "dependency": [...], "version": [...], "flag": [...]
          }
        }
      ]
    }

The same is in the counter `mita_slo_spent_total{slo, dimension, contributor}` with exemplars that carry `trace_id`.
"""

from mita_otel.settings import Settings
from mita_otel.slo.ledger.ledger import Ledger

__all__ = ["Ledger", "trace_url"]


def trace_url(settings: Settings) -> str:
    """Return the address of a trace, with `{trace_id}`: where a person finds it, or else Jaeger's."""
    return settings.trace_url or f"{settings.jaeger_url.rstrip('/')}/trace/{{trace_id}}"
