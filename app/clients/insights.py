"""Insights into spending, from a chat-completions API."""

import logging
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, Field

from app.clients.upstream import Upstream, UpstreamError
from app.domain.insights import MOST_TOKENS, Insight, InsightKind, messages
from app.domain.insights import Insights as Content
from app.errors import ApiError
from mita_otel.metrics import business

logger = logging.getLogger(__name__)


class _Message(BaseModel):
    content: str


class _Choice(BaseModel):
    message: _Message


class _Usage(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Completion(BaseModel):
    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage = Field(default_factory=_Usage)


class Insights:
    """Asks a language model."""

    def __init__(self, url: str | None, key: str | None, model: str, upstream: Upstream) -> None:
        """Take the API's base URL, or None if there is none, its key and the model's name."""
        self._url = url
        self._headers = {} if key is None else {"authorization": f"Bearer {key}"}
        self._model = model
        self._upstream = upstream

    async def of(self, kind: InsightKind, spent: Mapping[str, Decimal], currency: str) -> list[Insight]:
        """Return remarks about what was spent by category.

        Raises:
            ApiError: 503 if the API is not configured, fails, or answers nonsense.
        """
        if self._url is None:
            raise _unavailable("no insights API is configured (INSIGHTS_API_URL)")
        body = {
            "model": self._model,
            "messages": messages(kind, spent, currency),
            "response_format": {"type": "json_object"},
            "max_completion_tokens": MOST_TOKENS,
        }
        try:
            with business.insights_request():
                url = f"{self._url}/v1/chat/completions"
                found, usage = await self._upstream.call("POST", url, read=_read, json=body, headers=self._headers)
        except UpstreamError as error:
            logger.warning("the insights API failed", extra={"insight.kind": kind.value, "cause": str(error)})
            raise _unavailable("insights are not available now") from error
        for insight in found:
            business.insight_generated(insight.type)
        logger.info(
            "insights generated",
            extra={
                "insight.kind": kind.value,
                "insights": len(found),
                "tokens.input": usage.prompt_tokens,
                "tokens.output": usage.completion_tokens,
            },
        )
        return found


def _read(answer: Any) -> tuple[list[Insight], _Usage]:
    completion = _Completion.model_validate(answer)
    return Content.model_validate_json(completion.choices[0].message.content).insights, completion.usage


def _unavailable(message: str) -> ApiError:
    return ApiError(503, "INSIGHTS_UNAVAILABLE", message)
