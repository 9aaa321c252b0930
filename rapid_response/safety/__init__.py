"""Keeping responders safe: check-ins, the visit plan, joint attendance, risk markers."""
