"""The critical path of a trace: which span was responsible for each moment between the root's start and its end.

The classic walk: from the end of the root back through the child that finished last, into it by the same rule, then on
from its start to the child that had finished before that. Time that no such child covers is the span's own. A child
that outlives its parent was not waited for and is left out, unless it is the server's side of a call: clocks differ.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    """A span: its ids, its time, and whether it is the server's side of a call. An id occurs once in a trace."""

    id: bytes
    parent: bytes
    start: int
    end: int
    served: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of the path; start is before end."""

    id: bytes
    start: int
    end: int


def critical_path(nodes: Iterable[Node]) -> list[Section]:
    """Return the sections of the path by time; together they cover the root from its start to its end, once.

    Of several spans without a parent in the trace, the path is that of a real root, then of the longest.
    """
    by_id = {node.id: node for node in nodes}
    root = _root_of(by_id)
    if root is None:
        return []
    children: defaultdict[bytes, list[Node]] = defaultdict(list)
    for node in by_id.values():
        if node is not root and node.parent != node.id and node.parent in by_id:
            children[node.parent].append(node)
    sections = list(_backwards(root, {id_: _last_first(some) for id_, some in children.items()}))
    return _joined(reversed(sections))


def _root_of(by_id: Mapping[bytes, Node]) -> Node | None:
    tops = [node for node in by_id.values() if node.parent not in by_id]
    # Without a top the spans are one another's ancestors: the earliest serves as the root.
    return min(
        tops or by_id.values(),
        key=lambda node: (bool(node.parent), node.start - node.end if tops else 0, node.start, node.id),
        default=None,
    )


def _last_first(children: Iterable[Node]) -> Sequence[Node]:
    return sorted(children, key=lambda child: (-child.end, child.start, child.id))


@dataclass(slots=True)
class _Walk:
    """A span on the way back: what lies before `until` is not explained yet, and nothing before `start` will be."""

    node: Node
    start: int
    until: int
    children: Sequence[Node]
    next: int = 0
    has_entered: bool = False

    def enter(self) -> "tuple[Node, int, int] | None":
        """Return the next child to go into, with the stretch of time that it explains."""
        while self.next < len(self.children):
            child = self.children[self.next]
            self.next += 1
            end = self._end_of(child)
            start = max(child.start, self.start)
            if end is not None and start < end:
                self.has_entered = True
                return child, start, end
        return None

    def _end_of(self, child: Node) -> int | None:
        """Return until when a child explains this span's time, None if it was not waited for there."""
        if self.has_entered:
            return child.end if child.end <= self.until else None
        is_awaited = child.end <= self.node.end or child.served
        return min(child.end, self.until) if is_awaited else None


def _backwards(root: Node, children: Mapping[bytes, Sequence[Node]]) -> Iterable[Section]:
    """Yield sections from the end to the start; without recursion, for a chain may be long."""
    walks = [_Walk(root, root.start, root.end, children.get(root.id, ()))]
    while walks:
        walk = walks[-1]
        entered = walk.enter()
        if entered is None:
            yield from _own(walk, walk.start)
            walks.pop()
            continue
        child, start, end = entered
        yield from _own(walk, end)
        walk.until = start
        walks.append(_Walk(child, start, end, children.get(child.id, ())))


def _own(walk: _Walk, start: int) -> Iterable[Section]:
    if start < walk.until:
        yield Section(walk.node.id, start, walk.until)


def _joined(sections: Iterable[Section]) -> list[Section]:
    """Join sections of one span that follow one another."""
    joined: list[Section] = []
    for section in sections:
        if joined and joined[-1].id == section.id:
            joined[-1] = Section(section.id, joined[-1].start, section.end)
        else:
            joined.append(section)
    return joined
