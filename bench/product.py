"""The product's service in a process of its own, with its worker at rest: intake and nothing else."""

from __future__ import annotations

import gc
import sys

from rapid_response.app import build
from rapid_response.assembly import load_what_stays
from rapid_response.cli.server import Server, config
from rapid_response.settings import read_settings


def main() -> None:
    """As `rapid-response serve`, whose worker would have seen to what is loaded and kept."""
    gc.disable()
    served = build(read_settings(), works=False).asgi
    port = int(sys.argv[sys.argv.index("--port") + 1])
    Server(config(served, port=port, proxy_headers=False), began=load_what_stays, refused=lambda e: e).run()


if __name__ == "__main__":
    main()
