"""The sketch of those who are blocked most, against a count of all of them."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from mita_otel.ratelimit.offenders import Sketch


@given(keys=st.lists(st.integers(0, 30), max_size=400), size=st.integers(1, 12))
def test_no_frequent_key_is_missed_and_no_count_is_off_by_more_than_the_stated_bound(
    keys: list[int], size: int
) -> None:
    sketch: Sketch[int] = Sketch(size)
    for key in keys:
        sketch.add(key)
    truth = Counter(keys)
    found = {each.key: each for each in sketch.top(size)}
    assert len(found) <= size
    assert {key for key, number in truth.items() if number > len(keys) / size} <= found.keys()
    for key, each in found.items():
        assert each.at_least <= truth[key] <= each.at_most
        assert each.at_most - truth[key] <= len(keys) / size


def test_a_million_keys_take_the_memory_of_fifty() -> None:
    sketch: Sketch[int] = Sketch()
    for key in range(100_000):
        sketch.add(key)
        sketch.add(-1)
    assert len(sketch.top(1_000)) == 50
    assert sketch.top(1)[0] == (-1, 100_000, 100_000)
