"""Chat completions: a model that can only add up."""

import json
import time
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field


class ChatMessage(BaseModel):
    """One turn of a conversation."""

    role: str
    content: str


class Chat(BaseModel):
    """A conversation to be continued."""

    model: str
    messages: list[ChatMessage] = Field(min_length=1)


class About(BaseModel):
    """What the reference service asks, in the last turn."""

    kind: str
    currency: str
    spending: dict[str, str]


def routes() -> APIRouter:
    """Return the routes."""
    router = APIRouter()

    @router.post("/v1/chat/completions")
    async def complete(chat: Chat) -> dict[str, Any]:
        try:
            about = About.model_validate_json(chat.messages[-1].content)
        except ValueError as error:
            raise HTTPException(400, "this model understands spending only") from error
        content = json.dumps({"insights": [{"type": about.kind, "text": remark(about)}]})
        read = sum(len(message.content) for message in chat.messages) // 4
        written = len(content) // 4
        return {
            "id": f"chatcmpl-{uuid4().hex}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": chat.model,
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"},
            ],
            "usage": {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written},
        }

    return router


def remark(about: About) -> str:
    """Return what the model has to say."""
    highest = max(about.spending, key=lambda category: float(about.spending[category]), default=None)
    if highest is None:
        return "Nothing was spent."
    amount = f"{about.spending[highest]} {about.currency}"
    return {
        "spending_pattern": f"Most was spent on {highest}.",
        "saving_opportunity": f"Spend a tenth less on {highest}, which took {amount}.",
        "budget_advice": f"Set {amount} aside for {highest} next month.",
        "unusual_spending": f"{highest.capitalize()} stands out with {amount}.",
    }.get(about.kind, f"{highest}: {amount}.")
