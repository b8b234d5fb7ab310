"""Exchange rates."""

from fastapi import APIRouter

IN_DOLLARS = {"USD": "1", "EUR": "1.08", "GBP": "1.27", "JPY": "0.0067", "THB": "0.028", "CHF": "1.13", "PLN": "0.25"}
"""What one unit is worth in US dollars; made up, and always the same."""


def routes() -> APIRouter:
    """Return the routes."""
    router = APIRouter()

    @router.get("/rates")
    async def rates(base: str) -> dict[str, object]:
        if base not in IN_DOLLARS:
            return {"base": base, "rates": {}}
        worth = float(IN_DOLLARS[base])
        return {"base": base, "rates": {code: f"{worth / float(value):.6f}" for code, value in IN_DOLLARS.items()}}

    return router
