"""The refusals of a gateway, ready made: the shapes OpenAI, FastAPI and a reverse proxy really send."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .answers import Event, Page


def error_body(
    message: str,
    *,
    type: str = "invalid_request_error",
    code: str | None = None,
    param: str | None = None,
) -> dict[str, Any]:
    return {"error": {"message": message, "type": type, "param": param, "code": code}}


def refused(
    status: int,
    message: str = "The gateway refused.",
    *,
    type: str = "invalid_request_error",
    code: str | None = None,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Page:
    """A refusal in OpenAI's shape."""
    return Page(error_body(message, type=type, code=code, param=param), status, headers or {})


def bad_parameter(param: str, message: str = "") -> Page:
    return refused(400, message or f"Invalid value for '{param}'.", param=param, code="invalid_value")


def wrong_key(key: str) -> Page:
    """A gateway that echoes the whole key it was sent: nothing of it may reach the notebook."""
    message = f"Incorrect API key provided: {key}. You can find your API key in the dashboard."
    return refused(401, message, code="invalid_api_key")


def no_credit() -> Page:
    return refused(403, "Insufficient credits.", type="insufficient_quota", code="insufficient_quota")


def model_not_found(model: str) -> Page:
    message = f"The model `{model}` does not exist or you do not have access to it."
    return refused(404, message, code="model_not_found", param="model")


def rate_limited(retry_after: float | str | None = None, *, milliseconds: int | None = None) -> Page:
    """429; `retry_after` in seconds or as an HTTP date, `milliseconds` as OpenAI's `retry-after-ms`."""
    headers = {} if retry_after is None else {"Retry-After": f"{retry_after}"}
    if milliseconds is not None:
        headers["retry-after-ms"] = f"{milliseconds}"
    message = "Rate limit reached for requests."
    return refused(429, message, type="requests", code="rate_limit_exceeded", headers=headers)


def server_error(status: int = 500) -> Page:
    return refused(status, "The server had an error while processing your request.", type="server_error")


def html_page(status: int = 502, title: str = "502 Bad Gateway") -> Page:
    """The page of a reverse proxy; with status 200, of a captive portal or a login wall."""
    body = f"<html><head><title>{title}</title></head><body><h1>{title}</h1><hr>nginx</body></html>"
    return Page(body.encode(), status, content_type="text/html")


def rejected_parameter(name: str) -> Page:
    """422 as FastAPI gateways send it, without an `error` object."""
    detail = {"type": "extra_forbidden", "loc": ["body", name], "msg": "Extra inputs are not permitted"}
    return Page({"detail": [detail]}, 422)


def error_event(message: str = "The model failed.", *, code: str | None = None) -> Event:
    """An `{"error": …}` object in the middle of a stream that began well."""
    return Event(error_body(message, type="server_error", code=code))
