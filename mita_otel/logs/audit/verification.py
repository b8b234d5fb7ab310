"""Judges what is stored: which records are as they were written, and what was done to the others.

A record is authentic if its hash is that of its key over its own body and the hash before. Where it belongs is told by
its body, so that one that was moved is known from one that was forged.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from mita_otel.logs.audit.chain import GENESIS, Checkpoint, read_body, seal
from mita_otel.logs.audit.keys import Key
from mita_otel.logs.audit.tables import SEARCHED, moment, utc

SHOWN: Final = 1_000
"""Findings of one chain that are kept; what is more is counted."""


class Tampering(StrEnum):
    """What was done to a chain."""

    EDITED = "edited"
    DELETED = "deleted"
    REORDERED = "reordered"
    INSERTED = "inserted"
    TRUNCATED = "truncated"
    REWRITTEN = "rewritten"
    FORGED_CHECKPOINT = "forged checkpoint"
    UNKNOWN_KEY = "unknown key"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was done.

    Attributes:
        kind: what.
        chain: to which chain.
        seq: at which place, or from which on.
        explanation: how it shows.
        until: the last place, where there are several.
    """

    kind: Tampering
    chain: str
    seq: int
    explanation: str
    until: int | None = None

    @property
    def places(self) -> str:
        """The places, for people."""
        return str(self.seq) if self.until in {None, self.seq} else f"{self.seq}-{self.until}"


@dataclass(frozen=True, slots=True)
class Row:
    """A stored record with the columns that repeat what its body says."""

    chain: str
    seq: int
    created_at: datetime
    body: str
    previous: str
    hash: str
    key: str
    columns: Mapping[str, Any]


@dataclass(slots=True)
class Verdict:
    """What is known about one chain.

    Attributes:
        chain: its name.
        records: how many were looked at.
        first: the place of the first one.
        last: the place of the last authentic one.
        findings: what was done to it, by place.
        more: how many findings there are beside these.
        started: whether it begins with the record of the log's start.
        stopped: whether it ends with the record of its end.
        keyed: whether a secret seals it.
    """

    chain: str
    records: int = 0
    first: int = 0
    last: int = 0
    findings: list[Finding] = field(default_factory=list)
    more: int = 0
    started: bool = False
    stopped: bool = False
    keyed: bool = True


def verify(
    chain: str, rows: Iterable[Row], checkpoints: Sequence[Checkpoint], keys: Mapping[str, Key], *, begin: int = 1
) -> Verdict:
    """Judge one chain whose records are all at hand; the arguments are those of `Walk`."""
    walk = Walk(chain, keys, begin)
    walk.take(rows)
    return walk.judge(checkpoints)


class Walk:
    """Goes along one chain; keeps of each authentic record its hash, and of the others what is wrong.

    Args:
        chain: its name.
        keys: by their id.
        begin: the first place that is looked at; what is before it is taken on trust.
    """

    __slots__ = ("_begin", "_forged", "_hashes", "_keys", "_links", "_moved", "_untaken", "_verdict")

    def __init__(self, chain: str, keys: Mapping[str, Key], begin: int) -> None:
        self._keys = keys
        self._begin = begin
        self._verdict = Verdict(chain)
        self._hashes: dict[int, str] = {}
        self._links: dict[int, str] = {}
        self._moved: dict[int, int] = {}
        self._forged: list[tuple[int, str, str]] = []
        self._untaken: list[Row] = []

    def take(self, rows: Iterable[Row]) -> None:
        """Look at the next records, by place."""
        for row in rows:
            self._step(row)

    def _step(self, row: Row) -> None:
        verdict = self._verdict
        verdict.records += 1
        verdict.first = verdict.first or row.seq
        key = self._keys.get(row.key)
        if key is None:
            self._untaken.append(row)
            return
        verdict.keyed = verdict.keyed and bool(key.secret)
        body = read_body(row.body)
        if body is None or not _is_authentic(row, key):
            self._forged.append((row.seq, row.previous, "its hash is not that of its body"))
            return
        place = body.get("seq")
        if not isinstance(place, int) or body.get("chain") != row.chain:
            self._forged.append((row.seq, "", f"it is a copy of the record {place} of {body.get('chain')}"))
        elif place in self._hashes:
            # The copy is the one that is not where it belongs.
            at = self._moved.pop(place, row.seq) if row.seq == place else row.seq
            self._forged.append((at, "", f"it is a copy of the record {place}"))
        else:
            self._take(row, place, body)

    def _take(self, row: Row, place: int, body: Mapping[str, Any]) -> None:
        verdict = self._verdict
        self._hashes[place] = row.hash
        self._follow(place, row.previous)
        if place != row.seq:
            self._moved[place] = row.seq
        elif wrong := _disagreeing(row, body):
            self._find(Tampering.EDITED, place, f"the columns {', '.join(wrong)} are not what its body says")
        if place == 1:
            verdict.started = body.get("action") == "audit.started"
        if place > verdict.last:
            verdict.last, verdict.stopped = place, body.get("action") == "audit.stopped"

    def _follow(self, place: int, previous: str) -> None:
        before = GENESIS if place == 1 else self._hashes.get(place - 1)
        if before is None:
            # It may still come, if it was moved.
            self._links[place] = previous
        elif before != previous:
            # Only who holds the key can break this.
            sentence = f"the record of place {place} was sealed after another one than the one at {place - 1}"
            self._find(Tampering.REWRITTEN, max(place - 1, 1), sentence)

    def judge(self, checkpoints: Sequence[Checkpoint]) -> Verdict:
        """Return what the records come to, held against every statement about them, wherever it was kept."""
        verdict = self._verdict
        for place, at in self._moved.items():
            self._find(Tampering.REORDERED, at, f"the record of place {place} stands at place {at}")
        stated = self._judge_checkpoints(checkpoints)
        replaced = self._judge_forged(stated)
        self._judge_gaps(replaced, stated)
        for place in [place for place in self._links if place - 1 in self._hashes]:
            self._follow(place, self._links.pop(place))
        if self._untaken:
            first = self._untaken[0]
            sentence = f"{len(self._untaken)} records are sealed by the key {first.key!r}, which is not given"
            self._find(Tampering.UNKNOWN_KEY, first.seq, sentence, until=self._untaken[-1].seq)
        verdict.findings.sort(key=lambda finding: (finding.seq, finding.kind))
        return verdict

    def _judge_forged(self, stated: int) -> set[int]:
        """Tell a record that took the place of another from one that is there beside it; return the places taken."""
        replaced: set[int] = set()
        last = max(self._verdict.last, stated)
        for seq, previous, reason in self._forged:
            is_beside = seq in self._hashes or seq in replaced
            # Behind the end an edited record still follows the one before it.
            is_behind = seq > last and previous != self._hashes.get(seq - 1)
            if is_beside or is_behind:
                self._find(Tampering.INSERTED, seq, reason)
            else:
                replaced.add(seq)
                self._find(Tampering.EDITED, seq, reason)
        return replaced | {row.seq for row in self._untaken}

    def _judge_checkpoints(self, checkpoints: Sequence[Checkpoint]) -> int:
        """Hold the chain against the statements; return the last place that one vouches for."""
        stated = 0
        for made in checkpoints:
            key = self._keys.get(made.key)
            if key is None:
                self._find(
                    Tampering.UNKNOWN_KEY, made.seq, f"a checkpoint is signed by {made.key!r}, which is not given"
                )
            elif not made.holds(key):
                self._find(Tampering.FORGED_CHECKPOINT, made.seq, "the signature of a checkpoint is not its key's")
            else:
                stated = max(stated, made.seq)
                found = self._hashes.get(made.seq)
                if found is not None and found != made.hash:
                    sentence = f"the record is sealed, but is not the one that was there at {made.at}"
                    self._find(Tampering.REWRITTEN, made.seq, sentence)
        return stated

    def _judge_gaps(self, replaced: set[int], stated: int) -> None:
        present = self._hashes.keys() | replaced
        last = max(self._verdict.last, max(replaced, default=0))
        for first, until in _gaps(present, self._begin, last):
            what = "no record is there" if first == until else f"{until - first + 1} records are not there"
            self._find(Tampering.DELETED, first, what, until=until)
        if stated > last:
            sentence = f"a checkpoint states that there were {stated} records"
            self._find(Tampering.TRUNCATED, last + 1, sentence, until=stated)

    def _find(self, kind: Tampering, seq: int, explanation: str, until: int | None = None) -> None:
        findings = self._verdict.findings
        if len(findings) < SHOWN:
            findings.append(Finding(kind, self._verdict.chain, seq, explanation, until))
        else:
            self._verdict.more += 1


def _is_authentic(row: Row, key: Key) -> bool:
    try:
        return seal(key, row.previous, row.body) == row.hash
    except ValueError:
        return False


def _disagreeing(row: Row, body: Mapping[str, Any]) -> list[str]:
    """Return the columns that do not say what the body says."""
    wrong = [column for column, name in SEARCHED.items() if row.columns.get(column) != body.get(name)]
    try:
        stated = moment(str(body.get("occurred_at")))
    except ValueError:
        stated = None
    return wrong if utc(row.created_at) == stated else [*wrong, "created_at"]


def _gaps(present: "set[int]", begin: int, last: int) -> Iterator[tuple[int, int]]:
    """Yield the first and the last place of each run of places that nothing is at."""
    expected = begin
    for place in sorted(place for place in present if place >= begin):
        if place > expected:
            yield expected, place - 1
        expected = max(expected, place + 1)
    if expected <= last:
        yield expected, last
