"""Routes, all under /api."""

from fastapi import APIRouter

from app.api import auth, budgets, insights, transactions, users

router = APIRouter(prefix="/api")
for part in (auth, users, transactions, budgets, insights):
    router.include_router(part.router)
