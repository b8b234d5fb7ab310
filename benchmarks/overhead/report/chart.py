"""Draws bars in SVG: what each variant adds, in multiples of vanilla; hatched where something was not delivered."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import Final

from benchmarks.overhead.figures import Cost, Summary
from benchmarks.overhead.variants import OURS

_LEFT: Final = 110
_WIDTH: Final = 420
_RIGHT: Final = 240
_BAR: Final = 16
_STEP: Final = 22
_GROUP: Final = 44
_OURS: Final = "#0f766e"
_OTHERS: Final = "#94a3b8"
_LINE: Final = "#64748b"
_TEXT: Final = "#334155"

_HATCH: Final = (
    '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<rect width="3" height="6" fill="#ffffff" fill-opacity="0.75"/></pattern></defs>'
)


def draw(summaries: Mapping[str, Summary]) -> str:
    """Return the chart as a document; a group of bars for each kind of request, a bar for each ratio there is."""
    groups = list(_groups(summaries))
    longest = max((bar.ratio.median for _, bars in groups for _, bar in bars if bar.ratio), default=1.0)
    scale = _WIDTH / max(longest, 1.0)
    height = sum(_GROUP + _STEP * len(bars) for _, bars in groups) + 40
    width = _LEFT + _WIDTH + _RIGHT
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="12" role="img" '
        'aria-label="CPU added to a request, in multiples of vanilla OpenTelemetry">'
    )
    parts = [
        head,
        _HATCH,
        f'<rect width="{width}" height="{height}" fill="#ffffff"/>',
    ]
    top = 0
    for kind, bars in groups:
        parts += _group(kind, bars, top, scale)
        top += _GROUP + _STEP * len(bars)
    parts.append(
        _text(10, top + 24, "CPU added to a request over bare, vanilla = 1; hatched: not everything was delivered")
    )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _groups(summaries: Mapping[str, Summary]) -> Iterator[tuple[str, list[tuple[str, Cost]]]]:
    kinds = next(iter(summaries.values())).costs if summaries else {}
    for kind in kinds:
        bars = [(name, summary.costs[kind]) for name, summary in summaries.items()]
        yield kind, [(name, cost) for name, cost in bars if cost.ratio is not None]


def _group(kind: str, bars: list[tuple[str, Cost]], top: int, scale: float) -> Iterator[str]:
    yield _text(10, top + 28, kind, weight="600")
    place = _LEFT + scale
    bottom = top + _GROUP - 6 + len(bars) * _STEP
    yield (
        f'<line x1="{place:.1f}" y1="{top + _GROUP - 10}" x2="{place:.1f}" y2="{bottom}" '
        f'stroke="{_LINE}" stroke-dasharray="3 3"/>'
    )
    for number, (name, cost) in enumerate(bars):
        yield from _bar(name, cost, top + _GROUP - 6 + number * _STEP, scale)


def _bar(name: str, cost: Cost, top: int, scale: float) -> Iterator[str]:
    if cost.ratio is None:
        return
    length = max(cost.ratio.median, 0.0) * scale
    colour = _OURS if name.startswith(OURS) else _OTHERS
    missing = cost.delivery.missing if cost.delivery else ()
    box = f'x="{_LEFT}" y="{top}" width="{length:.1f}" height="{_BAR}" rx="2"'
    yield _text(_LEFT - 8, top + 12, name, anchor="end")
    yield f'<rect {box} fill="{colour}"/>'
    if missing:
        yield f'<rect {box} fill="url(#hatch)"/>'
    told = f"{cost.ratio.median:.2f}" + (f", not all {' and '.join(missing)}" if missing else "")
    yield _text(_LEFT + length + 6, top + 12, told)


def _text(x: float, y: float, text: str, *, anchor: str = "start", weight: str = "400") -> str:
    # With a rim in the colour of the paper, which keeps the line of vanilla out of the letters.
    return (
        f'<text x="{x:.1f}" y="{y}" fill="{_TEXT}" text-anchor="{anchor}" font-weight="{weight}" stroke="#ffffff" '
        f'stroke-width="3" paint-order="stroke">{escape(text)}</text>'
    )
