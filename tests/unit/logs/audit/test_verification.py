"""Whatever is done to a chain is found, and named."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mita_otel.logs.audit.chain import Checkpoint, checkpoint, seal
from mita_otel.logs.audit.keys import UNKEYED, Key
from mita_otel.logs.audit.verification import Finding, Row, Tampering, Verdict, verify
from tests.unit.logs.audit.chains import BEGAN, KEY, chain, stored, with_body

KEYS = {"k1": KEY}
OTHER = Key("k1", b"t" * 40)
LENGTH = 10


def judged(change: Callable[[list[Row]], list[Row]], *checkpoints: Checkpoint) -> Verdict:
    """Verify a chain of ten after a change, held against a checkpoint at its end."""
    records, heads = chain(LENGTH)
    rows = change(stored(records))
    by_place = sorted(rows, key=lambda row: row.seq)
    return verify("c", by_place, checkpoints or (checkpoint(heads[-1], BEGAN, KEY),), KEYS)


def named(verdict: Verdict) -> list[tuple[str, str]]:
    return [(finding.kind.value, finding.places) for finding in verdict.findings]


def edited(row: Row) -> Row:
    return replace(row, body=row.body.replace("success", "failure"))


def test_an_untouched_chain_has_no_findings() -> None:
    verdict = judged(list)
    assert (verdict.findings, verdict.records, verdict.last, verdict.keyed) == ([], LENGTH, LENGTH, True)


@pytest.mark.parametrize("place", [1, 5, 10])
def test_an_edited_body_is_named(place: int) -> None:
    assert named(judged(lambda rows: [edited(r) if r.seq == place else r for r in rows])) == [("edited", str(place))]


def test_an_edited_column_is_named_with_it() -> None:
    verdict = judged(lambda rows: [replace(rows[0], columns={**rows[0].columns, "user_id": "x"}), *rows[1:]])
    assert named(verdict) == [("edited", "1")]
    assert "user_id" in verdict.findings[0].explanation


def test_an_edited_time_is_named() -> None:
    later = timedelta(hours=1)
    verdict = judged(lambda rows: [replace(rows[0], created_at=rows[0].created_at + later), *rows[1:]])
    assert named(verdict) == [("edited", "1")]


def test_an_edited_hash_is_named() -> None:
    assert named(judged(lambda rows: [*rows[:4], replace(rows[4], hash="0" * 64), *rows[5:]])) == [("edited", "5")]


def test_a_hash_that_is_none_is_named() -> None:
    assert named(judged(lambda rows: [*rows[:4], replace(rows[4], previous="x"), *rows[5:]])) == [("edited", "5")]


@pytest.mark.parametrize(("gone", "places"), [({5}, "5"), ({4, 5, 6}, "4-6"), ({1, 2}, "1-2")], ids=str)
def test_deleted_records_are_named(gone: set[int], places: str) -> None:
    assert named(judged(lambda rows: [row for row in rows if row.seq not in gone])) == [("deleted", places)]


def test_records_that_changed_places_are_named() -> None:
    def swap(rows: list[Row]) -> list[Row]:
        return [*rows[:3], replace(rows[3], seq=5), replace(rows[4], seq=4), *rows[5:]]

    assert {kind for kind, _ in named(judged(swap))} == {"reordered"}
    assert [places for _, places in named(judged(swap))] == ["4", "5"]


def test_a_forged_record_beside_another_is_named() -> None:
    assert named(judged(lambda rows: [*rows, edited(rows[4])])) == [("inserted", "5")]


def test_a_record_that_was_copied_to_another_place_is_named() -> None:
    assert named(judged(lambda rows: [*rows, replace(rows[4], seq=5)])) == [("inserted", "5")]
    assert named(judged(lambda rows: [*rows, replace(rows[4], seq=4)])) == [("inserted", "4")]


def test_a_forged_record_behind_the_end_is_named() -> None:
    assert named(judged(lambda rows: [*rows, replace(edited(rows[-1]), seq=11)])) == [("inserted", "11")]


def test_a_record_of_another_chain_is_named() -> None:
    others, _ = chain(1, name="d")
    foreign = replace(stored(others)[0], chain="c", seq=11)
    assert named(judged(lambda rows: [*rows, foreign])) == [("inserted", "11")]


def test_a_chain_that_was_cut_off_is_named_by_its_checkpoint() -> None:
    assert named(judged(lambda rows: rows[:7])) == [("truncated", "8-10")]


def test_a_chain_that_is_gone_altogether_is_named_by_its_checkpoint() -> None:
    assert named(judged(lambda _: [])) == [("truncated", "1-10")]


def test_a_checkpoint_that_was_forged_is_named() -> None:
    _, heads = chain(3)
    assert named(judged(list, checkpoint(heads[-1], BEGAN, OTHER))) == [("forged checkpoint", "3")]


def test_a_chain_that_who_holds_the_key_wrote_anew_is_named_by_its_checkpoint() -> None:
    records, _ = chain(LENGTH)
    body = with_body(records[-1], action="nothing.happened")
    again = replace(records[-1], body=body, hash=seal(KEY, records[-1].previous, body))
    assert named(judged(lambda rows: [*rows[:-1], *stored([again])])) == [("rewritten", "10")]


def test_a_link_that_who_holds_the_key_broke_is_named() -> None:
    records, _ = chain(LENGTH)
    body = with_body(records[4], action="nothing.happened")
    again = replace(records[4], body=body, hash=seal(KEY, records[4].previous, body))
    assert ("rewritten", "5") in named(judged(lambda rows: [*rows[:4], *stored([again]), *rows[5:]]))


def test_records_under_a_key_that_is_not_given_cannot_be_told() -> None:
    records, _ = chain(3, Key("k9", b"u" * 40))
    assert named(verify("c", stored(records), [], KEYS)) == [("unknown key", "1-3")]


def test_records_without_a_key_are_not_accepted_where_there_are_keys() -> None:
    records, _ = chain(3, Key())
    assert named(verify("c", stored(records), [], KEYS)) == [("unknown key", "1-3")]
    unkeyed = verify("c", stored(records), [], {UNKEYED: Key()})
    assert (unkeyed.findings, unkeyed.keyed) == ([], False)


def test_a_rotated_key_verifies_what_it_sealed() -> None:
    records, _ = chain(3, Key("old", b"o" * 40))
    assert verify("c", stored(records), [], {"k1": KEY, "old": Key("old", b"o" * 40)}).findings == []


def test_a_chain_is_taken_on_trust_before_the_place_where_to_begin() -> None:
    records, _ = chain(LENGTH)
    assert verify("c", stored(records[5:]), [], KEYS, begin=6).findings == []
    assert named(verify("c", stored(records[6:]), [], KEYS, begin=6)) == [("deleted", "6")]


def test_of_many_findings_a_thousand_are_told_and_the_rest_is_counted() -> None:
    records, _ = chain(2_100)
    verdict = verify("c", stored(records[1::2]), [], KEYS)
    assert (len(verdict.findings), verdict.more) == (1_000, 50)


@given(st.data())
def test_any_change_of_any_field_of_any_record_is_found(data: st.DataObject) -> None:
    place = data.draw(st.integers(0, LENGTH - 1))
    name = data.draw(st.sampled_from(["body", "previous", "hash", "seq", "key", "created_at"]))

    def change(rows: list[Row]) -> list[Row]:
        row = rows[place]
        changed: dict[str, object] = {
            "body": data.draw(st.text(max_size=30)), "previous": "1" * 64, "hash": "1" * 64, "seq": row.seq + 100,
            "key": "k2", "created_at": row.created_at + timedelta(microseconds=1),
        }  # fmt: skip
        return [*rows[:place], replace(row, **{name: changed[name]}), *rows[place + 1 :]]  # type: ignore[arg-type]  # as it is

    assert judged(change).findings


@given(st.sets(st.integers(1, LENGTH), min_size=1))
def test_any_deletion_is_found_to_the_place(gone: set[int]) -> None:
    verdict = judged(lambda rows: [row for row in rows if row.seq not in gone])
    assert _places(verdict.findings) == gone
    assert {finding.kind for finding in verdict.findings} <= {Tampering.DELETED, Tampering.TRUNCATED}


def _places(findings: list[Finding]) -> set[int]:
    return {place for finding in findings for place in range(finding.seq, (finding.until or finding.seq) + 1)}
