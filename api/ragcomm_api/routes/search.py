"""Looking up a question among the answers, a claim among the debunks."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from ragcomm_api.auth import require_group
from ragcomm_api.dependencies import parts_of
from ragcomm_api.problems import Problem
from ragcomm_api.routes.direct import DirectRoute
from ragcomm_api.schemas.messages import READ_QUERY, FindingOut, Query
from ragcomm_api.schemas.openapi import takes

router = APIRouter(prefix="/v1", route_class=DirectRoute, tags=["knowledge"])


@router.post("/faq/search", response_model=FindingOut, openapi_extra=takes(Query))
async def search_faq(request: Request) -> Response:
    """Decides whether a vetted entry answers a question; up to ten matches whatever the decision."""
    return await _search(request, "answers")


@router.post("/claims/search", response_model=FindingOut, openapi_extra=takes(Query))
async def search_claims(request: Request) -> Response:
    """Decides which known claim a text is about; up to ten matches whatever the decision."""
    return await _search(request, "debunks")


async def _search(request: Request, kind: str) -> Response:
    parts = parts_of(request)
    key = await parts.keys.holder(request, "bot")
    query = READ_QUERY.validate_json(await request.body())
    if len(query.text) > parts.settings.most_text_characters:
        raise Problem(413, f"a text of {len(query.text)} characters is too long")
    require_group(key, "bot", query.group_id)
    return Response(await parts.judge.search(kind, query.text, query.limit), media_type="application/json")
