"""Quotas within one process."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from mita_otel.ratelimit.fallback import BYTES_A_CLIENT, LocalWindows, share
from mita_otel.ratelimit.window import Terms

TERMS = Terms(3, 1000)


def _client(number: int) -> bytes:
    return number.to_bytes(16, "big")


def _is_admitted(windows: LocalWindows, client: int, now: int = 0, policy: str = "a") -> bool:
    return windows.take([(policy, _client(client))], [TERMS], 1, now)[0].is_allowed


def test_clients_do_not_share_a_quota() -> None:
    windows = LocalWindows(["a"])
    assert [_is_admitted(windows, 1) for _ in range(4)] == [True, True, True, False]
    assert _is_admitted(windows, 2)


def test_what_redis_has_admitted_counts() -> None:
    windows = LocalWindows(["a"])
    windows.note([("a", _client(1))], [TERMS], 2, 0)
    assert [_is_admitted(windows, 1) for _ in range(2)] == [True, False]


def test_the_client_seen_longest_ago_makes_room_and_is_counted() -> None:
    evicted: list[str] = []
    windows = LocalWindows(["a"], capacity=2, evicted=evicted.append)
    for client in (1, 2, 1, 3):
        _is_admitted(windows, client)
    assert evicted == ["a"]
    assert [_is_admitted(windows, 1) for _ in range(2)] == [True, False]


def test_a_flood_under_one_policy_costs_no_other_its_memory() -> None:
    windows = LocalWindows(["a", "b"], capacity=2)
    for _ in range(3):
        _is_admitted(windows, 1, policy="b")
    for client in range(100):
        _is_admitted(windows, client)
    assert not _is_admitted(windows, 1, policy="b")


def test_blocked_clients_take_no_memory() -> None:
    windows = LocalWindows(["a", "b"], capacity=10)
    for _ in range(3):
        _is_admitted(windows, 0, policy="b")
    for client in range(100):
        windows.take([("a", _client(client)), ("b", _client(0))], [TERMS, TERMS], 1, 0)
    assert windows.remembered("a") == 0


@given(limit=st.integers(1, 10_000), replicas=st.integers(1, 500))
def test_all_replicas_together_give_away_less_than_one_request_each_too_much(limit: int, replicas: int) -> None:
    together = replicas * share(Terms(limit, 1000), replicas).limit
    assert limit <= together < limit + replicas


def test_any_number_of_clients_takes_the_memory_of_those_that_are_remembered() -> None:
    windows = LocalWindows(["a"], capacity=1_000)
    tracemalloc.start()
    try:
        for client in range(20_000):
            _is_admitted(windows, client)
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert windows.remembered("a") == 1_000
    assert taken < 1_000 * BYTES_A_CLIENT
