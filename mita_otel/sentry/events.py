"""Reports masked by the one policy, before they leave the process."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from mita_otel.redaction import DEFAULT, REDACTED, Policy

Report = dict[str, Any]

_OURS: Final = frozenset(
    {
        *("event_id", "type", "platform", "timestamp", "start_timestamp", "level", "sdk", "modules", "release"),
        *("environment", "server_name", "dist", "profile", "_meta"),
    }
)
"""What the SDK or the settings say, and no application: ids, versions, names of packages."""

_KEPT_OF_A_USER: Final = "id"
"""Nothing else says who a user is."""

_REQUEST: Final[Mapping[str, Callable[[Policy, str], str]]] = {"url": Policy.url, "query_string": Policy.query}
_DROPPED_OF_A_REQUEST: Final = frozenset({"cookies", "env"})
_ADDRESSES: Final = frozenset({"x-forwarded-for", "x-real-ip", "forwarded", "true-client-ip", "cf-connecting-ip"})
"""Headers that say where a user is."""


def mask(report: Report, policy: Policy = DEFAULT) -> Report:
    """Return an error's or a transaction's report with everything masked that is sensitive; never raises.

    Cookies, addresses and names of users are left out. A report that cannot be judged keeps its id, time and trace.

    Args:
        report: what the SDK is about to send; plain values.
        policy: what is sensitive.
    """
    try:
        masked = {key: value if key in _OURS else policy.value(key, value) for key, value in report.items()}
        masked.update(_own_kinds(report, policy))
    except Exception:  # noqa: BLE001 - the guard of this room: neither lost nor leaked
        masked = {key: report[key] for key in report.keys() & (_OURS - {"_meta"})}
        masked |= {"logentry": {"formatted": REDACTED}, "contexts": {"trace": _trace(report)}}
    return masked


def _own_kinds(report: Report, policy: Policy) -> Report:
    """Return what is masked by what it is rather than as any value."""
    own: Report = {}
    if isinstance(report.get("request"), Mapping):
        own["request"] = _request(report["request"], policy)
    if isinstance(report.get("user"), Mapping):
        user = report["user"]
        own["user"] = {key: policy.value(None, user[key]) for key in user if key == _KEPT_OF_A_USER}
    if isinstance(report.get("contexts"), Mapping):
        contexts = report["contexts"]
        own["contexts"] = {key: policy.value(None, value) for key, value in contexts.items() if key != "trace"}
        if "trace" in contexts:
            own["contexts"]["trace"] = {**_dict(policy.value(None, contexts["trace"])), **_trace(report)}
    if isinstance(report.get("spans"), list):
        own["spans"] = [_span(span, policy) for span in report["spans"]]
    return own


def _request(request: Mapping[str, Any], policy: Policy) -> Report:
    masked: Report = {}
    for key, value in request.items():
        if key in _DROPPED_OF_A_REQUEST:
            continue
        special = _REQUEST.get(key)
        if key == "headers" and isinstance(value, Mapping):
            kept = {name: each for name, each in value.items() if str(name).lower() not in _ADDRESSES}
            masked[key] = policy.value(key, kept)
        else:
            masked[key] = special(policy, value) if special and isinstance(value, str) else policy.value(key, value)
    return masked


def _span(span: Mapping[str, Any], policy: Policy) -> Report:
    ids = {key: span[key] for key in ("trace_id", "span_id", "parent_span_id", "same_process_as_parent") if key in span}
    return {**_dict(policy.value(None, span)), **ids}


def _trace(report: Report) -> Report:
    """Return the ids, which sixteen digits of a card number may look like."""
    trace = _dict(_dict(report.get("contexts")).get("trace"))
    return {key: trace[key] for key in ("trace_id", "span_id", "parent_span_id") if key in trace}


def _dict(value: Any) -> Report:
    return dict(value) if isinstance(value, Mapping) else {}
