"""The product's service in a process of its own, with its worker at rest: intake and nothing else."""

from __future__ import annotations

import gc
import sys

import uvicorn

from rapid_response.app import build
from rapid_response.cli.server import Server
from rapid_response.intake.reading.knowledge import shipped_knowledge
from rapid_response.places.table import shipped_table
from rapid_response.settings import read_settings


def main() -> None:
    """As `rapid-response serve`, whose worker would have seen to what is loaded and kept."""
    gc.disable()
    config = uvicorn.Config(
        build(read_settings(), works=False).asgi,
        port=int(sys.argv[sys.argv.index("--port") + 1]),
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
    shipped_knowledge()
    shipped_table()
    Server(config, began=gc.freeze, refused=lambda error: error).run()


if __name__ == "__main__":
    main()
