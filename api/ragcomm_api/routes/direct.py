"""A route that is reached without the framework's own reading of bodies and dependencies."""

from __future__ import annotations

from fastapi.routing import APIRoute


class DirectRoute(APIRoute):
    """Described like any other route, but called by the outermost layer (see `edge`) with the request itself.

    The functions here read and answer bytes themselves; for them that machinery costs half of a request.
    """
