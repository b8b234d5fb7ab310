"""Insights into spending: what a language model is asked, and what counts as an answer."""

import json
from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, Field

MOST_TOKENS = 500
"""Of an answer: a handful of sentences, and a bound on what one costs."""


class InsightKind(StrEnum):
    """What an insight may be about: a closed set."""

    SPENDING_PATTERN = "spending_pattern"
    SAVING_OPPORTUNITY = "saving_opportunity"
    BUDGET_ADVICE = "budget_advice"
    UNUSUAL_SPENDING = "unusual_spending"


QUESTIONS = {
    InsightKind.SPENDING_PATTERN: "Describe what the money of this month was mostly spent on.",
    InsightKind.SAVING_OPPORTUNITY: "Say where the user could save, and about how much.",
    InsightKind.BUDGET_ADVICE: "Advise how much to set aside for each category next month.",
    InsightKind.UNUSUAL_SPENDING: "Point out spending that is out of the ordinary.",
}

INSTRUCTION = (
    "You look at a household's spending in one month, given as JSON. Answer with JSON only: "
    '{"insights": [{"type": "<kind>", "text": "<one or two sentences>"}]}, at most five insights.'
)


class Insight(BaseModel):
    """One remark about a month's spending."""

    type: str = Field(max_length=64)
    text: str = Field(max_length=2000)


class Insights(BaseModel):
    """What the content of an answer must be."""

    insights: list[Insight] = Field(max_length=50)


def plain(kind: InsightKind, spent: Mapping[str, Decimal], currency: str) -> list[Insight]:
    """Return what can be said without a language model."""
    if not spent:
        return [Insight(type=kind.value, text="There is nothing to look at in this month yet.")]
    most = max(spent, key=lambda category: spent[category])
    total = sum(spent.values(), Decimal())
    text = f"Most of this month's {total} {currency} went to {most}: {spent[most]} {currency}."
    return [Insight(type=kind.value, text=text)]


def messages(kind: InsightKind, spent: Mapping[str, Decimal], currency: str) -> list[dict[str, str]]:
    """Return the conversation that asks for insights: categories and sums only, nothing that a user wrote."""
    about = {
        "kind": kind.value,
        "question": QUESTIONS[kind],
        "currency": currency,
        "spending": {category: str(amount) for category, amount in sorted(spent.items())},
    }
    return [{"role": "system", "content": INSTRUCTION}, {"role": "user", "content": json.dumps(about)}]
