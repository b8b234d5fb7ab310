"""The work that a text causes is bounded, counted and not timed: adversaries choose texts, machines choose times."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from mita_otel.redaction import DEFAULT, PATTERNS, REDACTED, cards, encoded, ibans, pairs, patterns, redact_text

SHAPES = {
    "digits": "1",
    "card numbers": "4111111111111111 ",
    "groups of a card number": "4111 ",
    "hyphens between digits": "1-",
    "account numbers": "DE89370400440532013000 ",
    "beginnings of account numbers": "DE89 ",
    "social security numbers": "123-45-6789 ",
    "telephone numbers": "+1234567 ",
    "signs of addresses": "@",
    "half addresses": "a@",
    "addresses": "a@b.cc ",
    "encoded signs": "a%40",
    "percent signs": "%41",
    "percent signs of percent signs": "%252541",
    "encoded words": "a%41 ",
    "plus signs": "1+",
    "sums": "a+b ",
    "JWT": "eyJ.a ",
    "bearers": "Bearer a1b2c3 ",
    "basics": "Basic abcd ",
    "users in URLs": "://a@",
    "passwords": "password=x ",
    "ordinary pairs": "ab=",
    "pairs that open quotes": "token='",
    "escaped quotes": 'pin=\\"',
    "open JSON": '{"pin":{',
    "open brackets": "[",
    "open elements": "<pin>",
    "backslashes": "\\",
    "quotes": "'",
    "spaces": " ",
    "key blocks": "-----BEGIN PRIVATE KEY-----",
    "prefixes of API keys": "sk-1 ",
}


def _text(shape: str, length: int) -> str:
    return (shape * (length // len(shape) + 1))[:length]


_JUDGES: list[tuple[Any, str]] = [
    (cards, "is_card_number"),
    (ibans, "_is_account"),
    (pairs, "_names_secret"),
    (patterns, "_is_basic"),
    (encoded, "decodings"),
]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often Python looks at a single candidate; everything else is one scan of an expression in C."""
    counted: Counter[str] = Counter()

    def counting(name: str, judge: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any) -> Any:
            counted[name] += 1
            return judge(*args)

        return call

    for module, name in _JUDGES:
        monkeypatch.setattr(module, name, counting(name, getattr(module, name)))
    return counted


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_candidates_are_judged_up_to_a_number_and_no_more(shape: str, calls: Counter[str]) -> None:
    redact_text(_text(shape, 40_000))
    once = Counter(calls)
    calls.clear()
    redact_text(_text(shape, 1_000_000))
    assert calls.total() <= once.total() + 16
    assert calls.total() <= 6_000


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_candidates_grow_no_faster_than_the_text(shape: str, calls: Counter[str]) -> None:
    counts = []
    for length in (5_000, 10_000, 20_000):
        calls.clear()
        redact_text(_text(shape, length))
        counts.append(calls.total())
    small, middle, large = counts
    # Twice for the text, twice for the second look that follows if the first one masked anything.
    assert middle <= 4 * small + 16
    assert large <= 4 * middle + 16
    assert large <= 8 * small + 16


@pytest.mark.parametrize(
    "secret",
    ["4111111111111111", "DE89370400440532013000", "a1@b.cc", "123-45-6789", "eyJh.b.c", "Bearer a1b2c3d4"],
)
def test_after_a_great_many_of_a_form_the_rest_is_masked_unseen(secret: str) -> None:
    masked = redact_text(f"{secret}, " * 1_000 + "the end")
    assert secret not in masked
    assert masked.endswith(REDACTED)
    assert redact_text(f"{secret}, " * 100 + "the end").endswith("the end")


def test_a_great_many_pairs_are_judged_and_then_no_more() -> None:
    assert redact_text("n=1 " * 1_900 + "password=x").endswith(f"n=1 password={REDACTED}")
    assert redact_text("n1=1 " * 3_000 + "password=x").endswith(f"n1={REDACTED}")
    assert "hunter" not in redact_text("password=hunter " * 2_000)


@pytest.mark.parametrize("pattern", PATTERNS, ids=[pattern.name for pattern in PATTERNS])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_masking_a_form_again_changes_nothing_whatever_the_text(pattern: Any, shape: str) -> None:
    once = pattern.mask(_text(shape, 2_000))
    assert len(once) <= 2_000 * len(REDACTED)
    assert DEFAULT.text(DEFAULT.text(once)) == DEFAULT.text(once)
