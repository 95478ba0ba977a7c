"""The yardstick: the least a FastAPI application can do with a JSON body."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request

app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)


@app.get("/ready")
async def ready() -> dict[str, str]:
    """Ready at once."""
    return {"status": "ready"}


@app.post("/echo")
async def echo(request: Request) -> Any:
    """Returns the JSON it was sent."""
    return await request.json()
