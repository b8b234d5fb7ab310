"""Reports leave masked, whole, and with their ids."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.redaction import DEFAULT, REDACTED, Keys, Policy
from mita_otel.sentry.events import mask
from tests.unit.redaction.forms import secrets

CARD = "4111 1111 1111 1111"
TRACE = {"trace_id": "4bf92f3577b34da64111111111111111", "span_id": "4111111111111111"}


def _report(secret: str) -> dict[str, Any]:
    return {
        "event_id": "0" * 32,
        "level": "error",
        "platform": "python",
        "timestamp": "2026-11-24T12:00:00Z",
        "release": "shop@1",
        "modules": {"pyjwt": "2.10.1", "tokenizers": "0.21"},
        "transaction": f"/pay/{secret}",
        "logentry": {"message": "refused %s", "params": [secret, {"note": secret}], "formatted": f"refused {secret}"},
        "exception": {
            "values": [
                {
                    "type": "ValueError",
                    "value": f"card {secret}",
                    "stacktrace": {
                        "frames": [{"filename": "a.py", "context_line": f"pay('{secret}')", "pre_context": [secret]}]
                    },
                }
            ]
        },
        "breadcrumbs": {
            "values": [
                {"category": "query", "message": f"SELECT '{secret}'", "data": {"db.params": [secret]}},
                {"category": "httplib", "data": {"url": f"https://u:pw@h/p?token=x&q={secret}"}},
            ]
        },
        "request": {
            "url": "https://u:pw@shop.example/pay",
            "query_string": f"token=x&page=2&q={secret}",
            "headers": {"authorization": "Bearer x", "referer": secret, "host": "h", "X-Forwarded-For": "10.0.0.7"},
            "cookies": {"session": secret},
            "env": {"REMOTE_ADDR": "10.0.0.7"},
            "data": {"cvv": "123", "note": secret},
        },
        "user": {"id": "7", "email": secret, "ip_address": "10.0.0.7", "username": "ann"},
        "extra": {"nested": json.dumps({"body": json.dumps({"card": secret})}), "password": "hunter2", "t": (secret,)},
        "tags": {"order": secret, "service": "shop"},
        "contexts": {"trace": {**TRACE, "data": {"q": secret}}, "application": {"compliance": "PCI_DSS"}, "x": secret},
    }


@given(secrets)
def test_a_secret_is_masked_wherever_a_report_can_carry_it(secret: str) -> None:
    masked = json.dumps(mask(_report(secret)), ensure_ascii=False)
    assert secret not in masked
    assert "hunter2" not in masked
    assert "10.0.0.7" not in masked


def test_everything_else_of_a_report_stays() -> None:
    masked = mask(_report(CARD))
    for key in ("event_id", "level", "platform", "timestamp", "release", "modules"):
        assert masked[key] == _report(CARD)[key]
    assert masked["user"] == {"id": "7"}
    assert masked["contexts"]["trace"] == {**TRACE, "data": {"q": REDACTED}}
    assert masked["contexts"]["application"] == {"compliance": "PCI_DSS"}
    assert masked["exception"]["values"][0]["type"] == "ValueError"
    assert masked["exception"]["values"][0]["stacktrace"]["frames"][0]["filename"] == "a.py"
    assert masked["tags"] == {"order": REDACTED, "service": "shop"}
    assert masked["request"] == {
        "url": f"https://{REDACTED}@shop.example/pay",
        "query_string": f"token={REDACTED}&page=2&q={REDACTED}",
        "headers": {"authorization": REDACTED, "referer": REDACTED, "host": "h"},
        "data": {"cvv": REDACTED, "note": REDACTED},
    }


def test_what_is_given_is_not_changed() -> None:
    given_report = _report(CARD)
    mask(given_report)
    assert given_report == _report(CARD)


def test_spans_of_a_transaction_are_masked_and_keep_their_ids() -> None:
    ids = {"trace_id": TRACE["trace_id"], "span_id": "4111111111111111", "parent_span_id": "4222222222222222"}
    masked = mask({"type": "transaction", "spans": [{**ids, "description": f"GET /?card={CARD}", "data": {"pin": 1}}]})
    assert masked["spans"] == [{**ids, "description": f"GET /?card={REDACTED}", "data": {"pin": REDACTED}}]


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_a_report_of_any_shape_can_be_masked(value: Any) -> None:
    for key in ("request", "user", "contexts", "spans", "exception", "tags"):
        assert isinstance(mask({"event_id": "1", key: value}), dict)


class _Broken(Keys):
    def is_sensitive(self, name: str) -> bool:
        raise RuntimeError(f"{CARD} {name}")


def test_a_report_that_cannot_be_judged_keeps_its_ids_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Policy, "value", _Broken.is_sensitive)
    masked = mask(_report(CARD))
    assert CARD not in json.dumps(masked)
    assert masked["event_id"] == "0" * 32
    assert masked["contexts"] == {"trace": TRACE}
    assert masked["logentry"] == {"formatted": REDACTED}


def test_a_policy_of_ones_own_is_obeyed() -> None:
    policy = Policy(keys=DEFAULT.keys.with_words("diagnosis"))
    assert mask({"extra": {"diagnosis": "flu"}}, policy) == {"extra": {"diagnosis": REDACTED}}
