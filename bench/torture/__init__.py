"""Serving processes that are killed at named moments, beside a provider that behaves badly: a campaign."""
