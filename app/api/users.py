"""The user's own profile."""

import logging
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from app.api.dependencies import CallerNeeded, ServicesNeeded
from app.api.text import Text
from app.errors import not_found
from app.storage import User

router = APIRouter(prefix="/users", tags=["users"])
logger = logging.getLogger(__name__)


class Profile(BaseModel):
    """What a user sees of themselves."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    name: str
    currency: str


class ProfileChange(BaseModel):
    """What a user may change; the home currency stays, as converted amounts are stored in it."""

    name: Text = Field(max_length=100)


@router.get("/me")
async def read_profile(caller: CallerNeeded, held: ServicesNeeded) -> Profile:
    """Return the caller's profile."""
    async with held.database.session() as session:
        user = await session.get(User, caller.user_id)
    if user is None:
        raise not_found("user")
    return Profile.model_validate(user)


@router.patch("/me")
async def change_profile(change: ProfileChange, caller: CallerNeeded, held: ServicesNeeded) -> Profile:
    """Change the caller's profile."""
    async with held.database.session() as session:
        user = await session.get(User, caller.user_id)
        if user is None:
            raise not_found("user")
        user.name = change.name
        await session.commit()
    logger.info("profile changed", extra={"user.id": str(caller.user_id)})
    return Profile.model_validate(user)
