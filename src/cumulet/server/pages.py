"""Cumulet's own pages, beside AWS's APIs: whatever lies under `/_cumulet/`, and a health page for those who switch."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

from cumulet.server.caller import Gate


def pages_of(gate: Gate) -> dict[str, Callable[[], Any]]:
    """Path to what it shows; `/_localstack/health` answers those who switch."""

    def health() -> Any:
        return {
            "services": dict.fromkeys(gate.services, "running"),
            "edition": "cumulet",
            "version": version("cumulet"),
        }

    return {"/_cumulet/health": health, "/_localstack/health": health}
