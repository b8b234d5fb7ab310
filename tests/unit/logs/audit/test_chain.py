"""Records are chained by hashes under a key, and checkpoints are signed by it."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.logs.audit.chain import CLOCK_BACK, GENESIS, Head, checkpoint, link, seal
from mita_otel.logs.audit.keys import Key
from tests.unit.logs.audit.chains import BEGAN, KEY, chain, event


def test_each_record_is_sealed_with_the_hash_of_the_one_before() -> None:
    records, heads = chain(3)
    assert [record.previous for record in records] == [GENESIS, records[0].hash, records[1].hash]
    assert [record.hash for record in records] == [seal(KEY, record.previous, record.body) for record in records]
    assert (heads[-1].seq, heads[-1].hash) == (3, records[-1].hash)


def test_a_record_says_its_chain_its_place_and_its_key() -> None:
    (record, *_), _ = chain(1, name="pod-7")
    body = json.loads(record.body)
    assert (body["chain"], body["seq"], body["key"], body["v"]) == ("pod-7", 1, "k1", 1)


def test_another_key_makes_another_hash() -> None:
    (first,), _ = chain(1)
    assert seal(Key("k1", b"t" * 40), GENESIS, first.body) != first.hash


def test_a_clock_that_goes_back_is_recorded_and_the_order_stays() -> None:
    _, head = link(Head("c"), event(), BEGAN, KEY)
    late, head = link(head, event(), BEGAN - timedelta(hours=1), KEY)
    after, head = link(head, event(), BEGAN + timedelta(seconds=1), KEY)
    assert json.loads(late.body)[CLOCK_BACK] == 3600
    assert CLOCK_BACK not in json.loads(after.body)
    assert (late.seq, after.seq) == (2, 3)


def test_a_checkpoint_holds_for_its_key_alone() -> None:
    _, heads = chain(5)
    made = checkpoint(heads[-1], BEGAN, KEY)
    assert made.holds(KEY)
    assert not made.holds(Key("k1", b"t" * 40))


@pytest.mark.parametrize(
    "change", [{"seq": 4}, {"hash": "0" * 64}, {"at": "2026-01-01T00:00:00.000000Z"}, {"chain": "d"}]
)
def test_a_checkpoint_that_was_changed_does_not_hold(change: dict[str, object]) -> None:
    _, heads = chain(5)
    assert not replace(checkpoint(heads[-1], BEGAN, KEY), **change).holds(KEY)  # type: ignore[arg-type]  # any of them


@given(st.integers(1, 30), st.binary(min_size=32, max_size=64))
def test_every_hash_of_a_chain_differs(length: int, secret: bytes) -> None:
    records, _ = chain(length, Key("k", secret))
    assert len({record.hash for record in records}) == length
