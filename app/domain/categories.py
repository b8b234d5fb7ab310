"""What money is spent on: a closed set."""

from enum import StrEnum


class Category(StrEnum):
    """Categories of a transaction and of a budget."""

    FOOD = "food"
    HOUSING = "housing"
    TRANSPORT = "transport"
    HEALTH = "health"
    ENTERTAINMENT = "entertainment"
    EDUCATION = "education"
    SHOPPING = "shopping"
    SAVINGS = "savings"
    OTHER = "other"
