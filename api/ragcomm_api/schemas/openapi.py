"""What the routes tell OpenAPI about bodies they read themselves."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from ragcomm.knowledge.sheets import MEDIA_TYPES

BODIES: dict[str, type[BaseModel]] = {}


def takes(model: type[BaseModel] | None, *, idempotent: bool = False, ndjson: bool = False) -> dict[str, Any]:
    """The `openapi_extra` of a route whose body is `model`, or that has none."""
    extra: dict[str, Any] = {}
    if model is not None:
        BODIES[model.__name__] = model
        schema = {"$ref": f"#/components/schemas/{model.__name__}"}
        content: dict[str, Any] = {"application/json": {"schema": schema}}
        if ndjson:
            content["application/x-ndjson"] = {"schema": {"type": "string", "description": "One message a line."}}
        extra["requestBody"] = {"required": True, "content": content}
    if idempotent:
        extra["parameters"] = [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "schema": {"type": "string", "minLength": 1, "maxLength": 255},
                "description": "The same key with the same body gives the same reply; with another body 409.",
            }
        ]
    return extra


def file_of_entries() -> dict[str, Any]:
    """The `openapi_extra` of a route whose body is a file of entries."""
    schema = {"type": "string", "format": "binary"}
    content = {media_type: {"schema": schema} for media_type in MEDIA_TYPES.values()}
    return {"requestBody": {"required": True, "content": content}, **takes(None, idempotent=True)}


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """Adds the bodies, the bearer key and the problem answers to FastAPI's document."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name, model in sorted(BODIES.items()):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}))
        schemas[name] = schema
    document["components"]["securitySchemes"] = {"key": {"type": "http", "scheme": "bearer"}}
    problem = {
        "description": "A problem (RFC 9457).",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemOut"}}},
    }
    for path, calls in document["paths"].items():
        for call in calls.values():
            if path.startswith("/v1/"):
                call["security"] = [{"key": []}]
                for status in ("400", "401", "403", "413", "422", "503"):
                    call["responses"][status] = problem
                if "{" in path:
                    call["responses"]["404"] = problem
                if call.get("parameters"):
                    call["responses"]["409"] = problem
    return document
