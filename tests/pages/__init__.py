"""The pages: rendered from made-up data, and looked at by a real browser."""
