"""Households that nobody has: made up from a number, the same each time."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from uuid import UUID, uuid5

from app.domain.categories import Category
from app.domain.money import convert, round_to_currency
from app.domain.months import days_of, named

NAMESPACE = UUID("6f1f0f5e-3f0c-4d55-9a3c-5f6f4d2a7c11")
"""Of every id that is made up."""

IN_DOLLARS = {"USD": Decimal(1), "EUR": Decimal("1.08"), "GBP": Decimal("1.27"), "JPY": Decimal("0.0067")}
"""What one unit is worth, about."""


@dataclass(frozen=True, slots=True)
class Habit:
    """What a household spends on a category: how often in a month, how much in dollars, on what."""

    category: Category
    often: int
    least: int
    most: int
    on: tuple[str, ...]
    days: tuple[int, int] = (1, 31)


HABITS = (
    Habit(Category.HOUSING, 1, 700, 1800, ("rent",), (1, 3)),
    Habit(Category.HOUSING, 1, 60, 180, ("electricity and water",), (10, 15)),
    Habit(Category.FOOD, 9, 15, 120, ("groceries", "market", "supermarket")),
    Habit(Category.FOOD, 6, 3, 45, ("coffee", "lunch", "bakery", "dinner out")),
    Habit(Category.TRANSPORT, 5, 2, 60, ("bus ticket", "fuel", "train", "taxi")),
    Habit(Category.SHOPPING, 2, 15, 220, ("clothes", "shoes", "household goods")),
    Habit(Category.ENTERTAINMENT, 3, 8, 70, ("cinema", "streaming", "concert", "museum")),
    Habit(Category.HEALTH, 1, 8, 90, ("pharmacy", "dentist", "optician")),
    Habit(Category.EDUCATION, 1, 10, 120, ("books", "language course")),
    Habit(Category.SAVINGS, 1, 50, 400, ("savings account",), (1, 5)),
    Habit(Category.OTHER, 1, 3, 60, ("gift", "haircut", "donation")),
)

PREMIUM_USD = Decimal("4.99")
"""What a month of the premium edition costs."""

FIRST_NAMES = ("Ada", "Bela", "Chidi", "Dara", "Elif", "Femi", "Grace", "Hana", "Ines", "Jun", "Katya", "Liam")
GOALS = (("Emergency fund", 3000), ("Holiday", 1500), ("Bicycle", 600), ("New laptop", 1200), ("Piano lessons", 800))


@dataclass(frozen=True, slots=True)
class Household:
    """Who spends.

    Attributes:
        scale: What their prices are to those of others, about 1.
    """

    seed: int
    number: int
    id: UUID
    name: str
    email: str
    currency: str
    scale: float


@dataclass(frozen=True, slots=True)
class Expense:
    """What was spent, as it was paid and in the household's own currency."""

    id: UUID
    day: date
    category: Category
    description: str
    amount: Decimal
    currency: str
    home_amount: Decimal


def household(seed: int, number: int) -> Household:
    """Return a household; numbers begin at 1."""
    chance = _chance(seed, number, "household")
    name = chance.choice(FIRST_NAMES)
    return Household(
        seed=seed,
        number=number,
        id=_id(seed, number, "user"),
        name=name,
        email=f"{name.lower()}-{seed}-{number}@example.com",
        currency=chance.choices(tuple(IN_DOLLARS), (5, 3, 2, 1))[0],
        scale=chance.uniform(0.6, 1.6),
    )


def expenses(who: Household, month: date) -> Iterator[Expense]:
    """Yield a month's expenses, in no order; a few of them abroad."""
    chance = _chance(who.seed, who.number, named(month))
    last = len(days_of(month))
    dearer = chance.uniform(0.85, 1.2)  # no two months are alike
    number = 0
    for habit in HABITS:
        for _ in range(max(1, habit.often + chance.randint(-1, 1)) if habit.often > 1 else 1):
            number += 1
            first, end = habit.days
            day = month.replace(day=min(chance.randint(first, end), last))
            dollars = Decimal(f"{chance.triangular(habit.least, habit.most) * who.scale * dearer:.2f}")
            abroad = chance.random() < 0.04  # noqa: PLR2004 - one in twenty-five
            currency = chance.choice(tuple(IN_DOLLARS)) if abroad else who.currency
            amount = _least_coin(convert(dollars, 1 / IN_DOLLARS[currency], currency), currency)
            rate = IN_DOLLARS[currency] / IN_DOLLARS[who.currency]
            home = amount if currency == who.currency else convert(amount, rate, who.currency)
            yield Expense(
                _id(who.seed, who.number, f"{named(month)}:{number}"),
                day,
                habit.category,
                chance.choice(habit.on),
                amount,
                currency,
                home,
            )


def budgets(who: Household) -> dict[Category, Decimal]:
    """Return what a household means to spend each month: mostly enough, now and then not."""
    chance = _chance(who.seed, who.number, "budgets")
    usual: dict[Category, float] = {}
    for habit in HABITS:
        usual[habit.category] = usual.get(habit.category, 0) + habit.often * (habit.least + habit.most) / 2
    chosen = [category for category in usual if chance.random() < 0.7]  # noqa: PLR2004 - two of three have a limit
    return {category: _home(who, usual[category] * who.scale * chance.uniform(0.85, 1.35)) for category in chosen}


def goals(who: Household) -> Iterator[tuple[UUID, str, Decimal, Decimal]]:
    """Yield id, name, target and what is saved of up to three goals."""
    chance = _chance(who.seed, who.number, "goals")
    for number, (name, dollars) in enumerate(chance.sample(GOALS, chance.randint(0, 3))):
        target = _home(who, dollars * who.scale)
        saved = round_to_currency(target * Decimal(f"{chance.uniform(0, 1.05):.3f}"), who.currency)
        yield _id(who.seed, who.number, f"goal:{number}"), name, target, saved


def made_up_id(who: Household, what: str) -> UUID:
    """Return the id of something of a household's: always the same one."""
    return _id(who.seed, who.number, what)


def _home(who: Household, dollars: float) -> Decimal:
    whole = Decimal(round(dollars / 10) * 10 or 10)
    return _least_coin(convert(whole, 1 / IN_DOLLARS[who.currency], who.currency), who.currency)


def _least_coin(amount: Decimal, currency: str) -> Decimal:
    return max(amount, round_to_currency(Decimal(1), currency))


def _chance(seed: int, number: int, what: str) -> random.Random:
    return random.Random(f"{seed}:{number}:{what}")  # noqa: S311 - chance, not secrecy


def _id(seed: int, number: int, what: str) -> UUID:
    return uuid5(NAMESPACE, f"{seed}:{number}:{what}")
