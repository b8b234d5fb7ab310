"""Makes what an application hands over plain, masked and of a bounded size: nothing else reaches a record."""

from collections.abc import Mapping
from typing import Any, Final

from mita_otel.logs.audit.canonical import canonical
from mita_otel.logs.values import Plain, cut, text_of
from mita_otel.redaction import REDACTED, redact_text, redact_value

LONGEST_TEXT: Final = 1_024
"""Characters of one value."""
LONGEST_NAME: Final = 200
"""Characters of a name, an id, an address: as wide as their columns."""
LARGEST: Final = 16_384
"""Characters of all details and changes of a record as JSON; what is larger is left out, and the record says so."""

_SAFE: Final = 2**53
_MISSING: Final = object()


def plain_details(given: Mapping[str, object] | None) -> dict[str, Any] | None:
    """Return details as they may be stored."""
    return _bounded(_plain(given)) if given else None


def changes(before: Mapping[str, object] | None, after: Mapping[str, object] | None) -> dict[str, Any] | None:
    """Return each field that differs as `{"before": ..., "after": ...}`, masked; None if nothing differs.

    What is compared is what was handed over, so that a new password is a change from `[REDACTED]` to `[REDACTED]`. A
    field that is only on one side is a change from, or to, null: the whole of something that was made, or deleted.
    """
    old, new = before or {}, after or {}
    differing = [name for name in {**old, **new} if old.get(name, _MISSING) != new.get(name, _MISSING)]
    if not differing:
        return None
    was, is_now = (_plain({name: side.get(name) for name in differing}) for side in (old, new))
    return _bounded({name: {"before": was[name], "after": is_now[name]} for name in was})


def short(value: object) -> str | None:
    """Return a name or an id as text that fits its column, masked; None stays."""
    if value is None:
        return None
    text = value if type(value) is str else text_of(value)
    return cut(redact_text(text.replace("\x00", "")), LONGEST_NAME)


def _plain(given: Mapping[str, object]) -> dict[str, Any]:
    masked = redact_value(None, Plain(LONGEST_TEXT)(given))
    kept: Any = _storable(masked)
    return kept if isinstance(kept, dict) else {"value": kept}


def _storable(value: Any) -> Any:
    """Return what has a canonical form and fits a database: no NUL, no integer that a double cannot hold."""
    if isinstance(value, str):
        return cut(value.replace("\x00", ""), LONGEST_TEXT)
    if isinstance(value, bool) or value is None or isinstance(value, float):
        return value
    if isinstance(value, int):
        return value if -_SAFE <= value <= _SAFE else str(value)
    if isinstance(value, dict):
        return {str(key).replace("\x00", ""): _storable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_storable(item) for item in value]
    return REDACTED


def _bounded(content: dict[str, Any]) -> dict[str, Any]:
    size = len(canonical(content))
    return content if size <= LARGEST else {"left_out": f"{size} characters, {LARGEST} may be stored"}
