"""The HTTP API for partners' systems, health and metrics."""
