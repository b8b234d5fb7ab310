"""The values of sensitive keys are masked in free text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.redaction import redact_text


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("password=hunter2, user=ann", "password=[REDACTED], user=ann"),
        ("password: hunter2", "password: [REDACTED]"),
        ("--password=hunter2 --port=80", "--password=[REDACTED] --port=80"),
        ("'token' => 'abc'", "'token' => '[REDACTED]'"),
        ('{"cvv": 123, "n": 1}', '{"cvv": [REDACTED] "n": 1}'.replace("] ", "], ")),
        ('{"password": "a\\"b", "n": 1}', '{"password": "[REDACTED]", "n": 1}'),
        ("{'pin': 'a b', 'n': 1}", "{'pin': '[REDACTED]', 'n': 1}"),
        ('{"secret": ["a", ["b"]], "n": 1}', '{"secret": [REDACTED], "n": 1}'),
        ('{"secret": {"a": {"b": 1}}, "n": 1}', '{"secret": [REDACTED], "n": 1}'),
        ('password="never closed', 'password="[REDACTED]'),
        ("user[token]=abc&x=1", "user[token]=[REDACTED]&x=1"),
        ("Authorization: Bearer abc rest", "Authorization: [REDACTED] rest"),
        ("Authorization: Digest username=a, response=b\nnext", "Authorization: [REDACTED]\nnext"),
        ("Cookie: a=b; c=d\nnext", "Cookie: [REDACTED]\nnext"),
        ("<password>hunter2</password>", "<password>[REDACTED]</password>"),
        ("API key: abc", "API key: [REDACTED]"),
        ("account number: 12345678", "account number: [REDACTED]"),
        ("tax id = 12-3456789", "tax id = [REDACTED]"),
        ('{"key": "abc"}', '{"key": "[REDACTED]"}'),
        ("password=, next", "password=, next"),
        ("User(name='ann', password='x')", "User(name='ann', password='[REDACTED]')"),
    ],
)
def test_the_value_is_masked_and_the_rest_stays(text: str, masked: str) -> None:
    assert redact_text(text) == masked


@given(secret=st.text(min_size=1), depth=st.integers(1, 4))
def test_json_inside_json_hides_nothing(secret: str, depth: int) -> None:
    text = plain = json.dumps({"password": f"#{secret}#", "n": 1}, ensure_ascii=False)
    for _ in range(depth):
        text = json.dumps({"body": text}, ensure_ascii=False)
    masked = redact_text(text)
    for _ in range(depth):
        masked = json.loads(masked)["body"]
    assert json.loads(masked) == {"password": "[REDACTED]", "n": 1}
    assert redact_text(plain) == masked
