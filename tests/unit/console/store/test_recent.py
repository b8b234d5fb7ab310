"""What was put in lately is remembered, in bounded memory."""

from hypothesis import given
from hypothesis import strategies as st

from mita_otel.console.store.recent import Recent


@given(st.lists(st.binary(min_size=1, max_size=1), max_size=60), st.integers(1, 8))
def test_the_last_entries_are_kept_and_never_more_than_twice_as_many(keys: list[bytes], size: int) -> None:
    recent: Recent[int] = Recent(size)
    for number, key in enumerate(keys):
        recent.put(key, number)
        assert len(recent) <= 2 * size
    for key in set(keys[-size:]):
        assert recent.get(key) == len(keys) - 1 - keys[::-1].index(key)


def test_what_was_taken_out_is_forgotten_wherever_it_was() -> None:
    recent: Recent[str] = Recent(1)
    recent.put(b"a", "old")
    recent.put(b"b", "b")
    recent.put(b"a", "new")
    assert recent.pop(b"a") == "new"
    assert recent.get(b"a") is None
    assert recent.pop(b"a") is None
