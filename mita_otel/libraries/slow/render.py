"""A plan of PostgreSQL as text: its JSON, without values, in the form that people know from `EXPLAIN`."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mita_otel.redaction import redact_statement

PLAN_LIMIT: Final = 8192
"""Characters of a plan; as many as a log record's attribute may have."""

_NESTING: Final = 50
"""Nodes below one another that are shown."""

_IN_HEAD: Final = frozenset(
    {
        *("Node Type", "Strategy", "Partial Mode", "Join Type", "Operation", "Command"),
        *("Relation Name", "Schema", "Alias", "Index Name", "Function Name", "CTE Name", "Scan Direction"),
        *("Startup Cost", "Total Cost", "Plan Rows", "Plan Width", "Plans"),
        # These say nothing in a plan that is not executed.
        *("Parallel Aware", "Async Capable", "Disabled", "Parent Relationship", "Subplan Name"),
    }
)


def render(plan: Mapping[str, Any]) -> str:
    """Return the text of what `EXPLAIN (FORMAT JSON)` has answered for one statement.

    Its JSON is read because a literal in it is whole there: in the form for people one with a line break would begin a
    line of its own, which nothing could tell from a name.
    """
    text = "\n".join(_node(plan["Plan"], 0))
    return text if len(text) <= PLAN_LIMIT else text[: PLAN_LIMIT - 3].rpartition("\n")[0] + "\n..."


def _node(node: Mapping[str, Any], depth: int) -> Iterator[str]:
    margin = "  " * depth
    if depth > _NESTING:
        yield f"{margin}..."
        return
    arrow = "->  " if depth else ""
    yield f"{margin}{arrow}{_head(node)}"
    inner = margin + " " * (len(arrow) + 2)
    for name, value in node.items():
        if name not in _IN_HEAD and value not in (False, None):
            yield f"{inner}{name}: {_value(value)}"
    for child in node.get("Plans", ()):
        yield from _node(child, depth + 1)


def _head(node: Mapping[str, Any]) -> str:
    named = ("Subplan Name", "Partial Mode", "Strategy", "Join Type")
    words = [_text(node[name]) for name in named if _is_told(node, name)]
    # As people know it: an Update or Delete, not the one node that does each of them.
    words.append(_text(node.get("Operation") or node.get("Node Type", "?")))
    if "Index Name" in node:
        words.append(f"using {_text(node['Index Name'])}")
    target = node.get("Relation Name") or node.get("CTE Name") or node.get("Function Name")
    if target:
        alias = node.get("Alias", target)
        words.append(f"on {_text(target)}" if alias == target else f"on {_text(target)} {_text(alias)}")
    cost = f"cost={node.get('Startup Cost')}..{node.get('Total Cost')}"
    return f"{' '.join(words)}  ({cost} rows={node.get('Plan Rows')} width={node.get('Plan Width')})"


def _is_told(node: Mapping[str, Any], name: str) -> bool:
    return node.get(name) not in {None, "Simple", "Plain", "Inner"}


def _value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return _text(value) if isinstance(value, str) else str(value) if isinstance(value, int | float) else "..."


def _text(value: object) -> str:
    return redact_statement(str(value))
