"""A message API that delivers into a box for everybody to look into."""

from collections import OrderedDict
from typing import Annotated

from fastapi import APIRouter, Header, HTTPException
from pydantic import BaseModel, Field

MOST = 1000
"""Messages in the box; the oldest go first."""


class Sent(BaseModel):
    """A message: whom it goes to, and what it says."""

    channel: str = Field(max_length=16)
    to: str = Field(max_length=254)
    title: str = Field(max_length=200)
    text: str = Field(max_length=2000)


def routes() -> APIRouter:
    """Return the routes."""
    router = APIRouter()
    box: OrderedDict[str, Sent] = OrderedDict()

    @router.post("/v1/messages", status_code=202)
    async def send(sent: Sent, idempotency_key: Annotated[str, Header(max_length=64)]) -> dict[str, str]:
        if sent.to.startswith("bounce"):
            raise HTTPException(422, "there is no such mailbox")
        box.setdefault(idempotency_key, sent)
        if len(box) > MOST:
            box.popitem(last=False)
        return {"id": idempotency_key}

    @router.get("/inbox")
    async def inbox(to: str | None = None) -> list[Sent]:
        return [sent for sent in box.values() if to is None or sent.to == to]

    return router
