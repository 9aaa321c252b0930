"""The product's service in a process of its own, with its worker at rest: intake and nothing else."""

from __future__ import annotations

import sys

import uvicorn

from rapid_response.app import build
from rapid_response.settings import read_settings

if __name__ == "__main__":
    uvicorn.run(
        build(read_settings(), works=False).asgi,
        port=int(sys.argv[sys.argv.index("--port") + 1]),
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
    )
