"""The user's own profile."""

import logging
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import delete

from app.api.dependencies import CallerNeeded, ServicesNeeded
from app.api.inputs import Text
from app.domain.notifications import Channel
from app.errors import not_found
from app.storage import User
from mita_otel.logs import audit

router = APIRouter(prefix="/users", tags=["users"])
logger = logging.getLogger(__name__)


class Profile(BaseModel):
    """What a user sees of themselves."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    email: str
    name: str
    currency: str
    notify_by: Channel


class ProfileChange(BaseModel):
    """What a user may change, what is left out stays; so does the home currency: converted amounts are stored in it."""

    name: Text | None = Field(default=None, max_length=100)
    notify_by: Channel | None = None


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
        changed = change.model_dump(exclude_none=True, mode="json")
        before = audit.fields(user, *changed)
        for name, value in changed.items():
            setattr(user, name, value)
        await session.commit()
    audit.modification("profile.changed", before=before, after=changed, resource=("user", user.id))
    logger.info("profile changed", extra={"user.id": str(caller.user_id)})
    return Profile.model_validate(user)


@router.delete("/me", status_code=204)
async def delete_user(caller: CallerNeeded, held: ServicesNeeded) -> None:
    """Delete the caller and everything of theirs; of purchases the revenue stays, without a name."""
    async with held.database.session() as session:
        gone = await session.scalar(delete(User).where(User.id == caller.user_id).returning(User.id))
        if gone is not None:
            await audit.restricted(session, "user.deleted", resource=("user", gone))
        await session.commit()
    if gone is None:
        raise not_found("user")
    logger.info("user deleted", extra={"user.id": str(caller.user_id)})
