"""rapid_response: doorstep crime and scam reports, answered in time."""

__version__ = "0.1.0"
