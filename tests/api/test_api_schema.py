"""The OpenAPI document against the server: everything it does is documented, nothing breaks it."""

import os
import subprocess
import sys
from typing import Any

import httpx
import pytest
from running import Bot, Keyed, environment

LONG = os.environ.get("UTB_LONG") == "1"
FEW = 6
CHECKED = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "unsupported_method",
)


@pytest.fixture(scope="module")
def paths(bot: Bot) -> dict[str, Any]:
    """The documented paths."""
    served: dict[str, Any] = bot.get("/schema/openapi.json")["paths"]
    return served


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_every_operation_does_what_is_documented(bot: Bot) -> None:
    """Schemathesis in a process of its own; UTB_LONG=1 adds its edge cases and more examples."""
    schemathesis = (sys.executable, "-m", "schemathesis.cli")
    phases, count = ("examples,coverage,fuzzing", "20") if LONG else ("examples,fuzzing", "4")
    options = ("--phases", phases, "--max-examples", count, "--mode", "all")
    more = ("--generation-deterministic", "--suppress-health-check", "all", "--no-color")
    document = f"{bot.address}/schema/openapi.json"
    done = subprocess.run(
        [*schemathesis, "run", document, *options, *more, "--checks", ",".join(CHECKED)],
        env=environment(),
        cwd=bot.state,
        capture_output=True,
        text=True,
        timeout=380,
        check=False,
    )
    for action in ("reset", "resume"):
        bot.http.post(f"/api/{action}")
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]
    assert "61 selected / 61 total" in done.stdout, done.stdout[:2_000]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"X-API-Key": "utb_wrong"}, 401),
        ({"Host": "evil.example"}, 403),
        ({"trader": "read"}, 403),
        ({"Origin": "https://evil.example", "chief": "write"}, 403),
    ],
)
def test_who_may_not_gets_documented_errors_everywhere(
    keyed: Keyed, paths: dict[str, Any], headers: dict[str, str], status: int
) -> None:
    """Every operation, without a key, with a wrong one, a wrong scope, host or origin."""
    wanted = {"read": {"GET"}, "write": {"POST"}}
    methods = {"GET", "POST"}
    sent = {}
    for name, value in headers.items():
        if name in keyed.keys:
            sent["X-API-Key"] = keyed.keys[name]
            methods = wanted[value]
        else:
            sent[name] = value
    seen = 0
    for path, operations in paths.items():
        for method, operation in operations.items():
            if method.upper() not in methods or (path == "/health" and "Host" not in headers):
                continue
            url = path.replace("{", "").replace("}", "")
            response = request(keyed.bot, method, url, sent)
            assert response.status_code == status, (method, path, response.text)
            assert str(status) in operation["responses"]
            assert response.json()["error"]["message"]
            seen += 1
            if status == 401 and seen >= FEW:
                # Every failed key makes its address wait longer
                return
    assert seen >= FEW


def request(bot: Bot, method: str, path: str, headers: dict[str, str]) -> httpx.Response:
    return bot.http.request(method.upper(), path, headers=headers)


def test_document_is_complete(paths: dict[str, Any]) -> None:
    """Every operation has a summary, a description, examples and the errors of all."""
    names = [
        operation["operationId"]
        for operations in paths.values()
        for operation in operations.values()
    ]
    assert len(names) == len(set(names)) >= 60
    for path, operations in paths.items():
        for method, operation in operations.items():
            assert operation["summary"]
            assert len(operation["description"].split("\n\n")) >= 2, path
            assert {"400", "401", "403", "429", "500"} <= operation["responses"].keys()
            if method == "post":
                assert {"409", "413", "415", "422", "503"} <= operation["responses"].keys()
            if "requestBody" in operation:
                assert "example" in operation["requestBody"]["content"]["application/json"]


def test_health_is_documented_with_both_words(bot: Bot, lonely: Bot, paths: dict[str, Any]) -> None:
    for path in ("/health", "/api/health", "/api/v1/health"):
        assert {"200", "503"} <= paths[path]["get"]["responses"].keys()
        assert bot.http.get(path).json()["status"] == "HEALTHY"
        down = lonely.http.get(path)
        assert down.status_code == 503
        assert down.json()["status"] == "DOWN"
        assert "HEALTHY" not in down.text
        assert down.json()["reasons"]
