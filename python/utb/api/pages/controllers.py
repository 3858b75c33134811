"""Routes of pages."""

from typing import Any, Final

from litestar import Request, Response, get
from litestar.params import FromPath
from litestar.response import Redirect

from utb.api.errors import not_found
from utb.api.pages.files import File
from utb.api.world import FromWorld, World

NOT_MODIFIED: Final = 304
_CSP: Final = (
    "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; "
    "font-src 'self' data:; object-src 'none'; base-uri 'self'; frame-ancestors 'none'"
)
_HTML: Final = "text/html"

_ABSENT: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Ultimate Trading Bot</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:4rem auto;padding:0 1rem}
</style>
<h1>The dashboard is not in this installation</h1>
<p>Its built files are missing from the package. In a source tree, build them with
<code>npm ci &amp;&amp; npm run build</code> in <code>dashboard/</code>; a wheel brings them.</p>
<p>The API works without them: <a href="/schema">its description</a>,
<a href="/api/v1/summary">the bot in one answer</a>, <a href="/health/detailed">its health</a>.</p>
"""

_DESCRIPTION: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Ultimate Trading Bot API</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<script src="/schema/rapidoc-min.js" defer></script></head>
<body><rapi-doc spec-url="/schema/openapi.json" load-fonts="false" show-header="false"
 render-style="focused" theme="light" schema-style="table" allow-server-selection="false"
 persist-auth="false" regular-font="system-ui, sans-serif" mono-font="ui-monospace, monospace">
</rapi-doc></body></html>
"""


@get("/", include_in_schema=False, sync_to_thread=False)
def get_root() -> Redirect:
    """Lead to the dashboard."""
    return Redirect("/dashboard")


@get("/dashboard", include_in_schema=False, sync_to_thread=False)
def get_dashboard(world: FromWorld, request: Request[Any, Any, Any]) -> Response[bytes]:
    """Return the dashboard's page, or one that says how to get it."""
    return _dashboard(world, request, "index.html")


@get("/dashboard/{path:path}", include_in_schema=False, sync_to_thread=False)
def get_dashboard_file(
    world: FromWorld, request: Request[Any, Any, Any], path: FromPath[str]
) -> Response[bytes]:
    """Return one of the dashboard's files."""
    return _dashboard(world, request, path.strip("/") or "index.html")


@get("/schema", include_in_schema=False, sync_to_thread=False)
def get_description() -> Response[bytes]:
    """Return the interactive description of the API."""
    headers = {"content-security-policy": _CSP}
    return Response(_DESCRIPTION.encode(), media_type=_HTML, headers=headers)


@get("/schema/openapi.json", include_in_schema=False, sync_to_thread=False)
def get_openapi(world: FromWorld) -> Response[bytes]:
    """Return the OpenAPI document."""
    return Response(world.openapi, media_type="application/json")


@get("/schema/{name:str}", include_in_schema=False, sync_to_thread=False)
def get_description_file(
    world: FromWorld, request: Request[Any, Any, Any], name: FromPath[str]
) -> Response[bytes]:
    """Return a file of the description."""
    found = world.pages.get(name)
    if found is None:
        raise not_found("file", name)
    return _file(request, found)


def _dashboard(world: World, request: Request[Any, Any, Any], path: str) -> Response[bytes]:
    found = world.dashboard.get(path)
    if found is not None:
        return _file(request, found, forever=path.startswith("assets/"))
    if path == "index.html":
        headers = {"content-security-policy": _CSP}
        return Response(_ABSENT.encode(), status_code=404, media_type=_HTML, headers=headers)
    raise not_found("file", path)


def _file(request: Request[Any, Any, Any], file: File, *, forever: bool = False) -> Response[bytes]:
    """Return a file; what is named by its content may be kept forever."""
    headers = {
        "etag": file.etag,
        "cache-control": "public, max-age=31536000, immutable" if forever else "no-cache",
        "content-security-policy": _CSP,
    }
    if request.headers.get("if-none-match") == file.etag:
        return Response(b"", status_code=NOT_MODIFIED, headers=headers)
    return Response(file.body, media_type=file.media_type, headers=headers)
