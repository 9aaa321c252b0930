"""The `rapid-response` program: one file a command group, each importing what it needs only when it runs."""

from rapid_response.cli.running import main, run

__all__ = ["main", "run"]
