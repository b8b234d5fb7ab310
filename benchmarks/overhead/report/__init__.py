"""Tells what was found: for people in Markdown with a chart, for machines in JSON, and in one line."""

from benchmarks.overhead.report.chart import draw
from benchmarks.overhead.report.conditions import Conditions
from benchmarks.overhead.report.machines import as_json, verdict
from benchmarks.overhead.report.markdown import render
from benchmarks.overhead.report.page import put

__all__ = ["Conditions", "as_json", "draw", "put", "render", "verdict"]
