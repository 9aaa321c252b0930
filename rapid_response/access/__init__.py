"""Who asks, and what they may do: permissions, accounts, sessions, API keys. Knows no web framework."""
