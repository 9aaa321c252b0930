"""The kinds of doorstep crime, scam and other report that have a name of their own (domain.md 2.1 and 2.2).

Kinds stand in the log and in lists, which hold nobody's words: what a person calls it otherwise is a note.
"""

from __future__ import annotations

KINDS = frozenset(
    (
        # doorstep crime
        "rogue_trader", "repeat_demand", "distraction_burglary", "bogus_official", "high_pressure_sales",
        "home_energy_offer", "unlicensed_pedlar", "doorstep_goods", "doorstep_buyer", "bogus_charity",
        "illegal_lender", "cold_call_nuisance", "leaflet_drop", "doorstep_selling", "pressure_selling",
        "charity_fraud", "other_doorstep",
        # scam
        "courier_fraud", "bank_impersonation", "police_impersonation", "government_impersonation",
        "hmrc_impersonation", "remote_access", "family_message", "family_impersonation", "romance",
        "investment_crypto", "investment", "pension", "recovery", "recovery_room",
        "lottery_prize_inheritance", "prize_lottery", "clairvoyant", "mail_mass_marketing", "mail_scam",
        "purchase_marketplace", "purchase", "ticket_holiday", "rental", "delivery_text", "phishing_qr",
        "call_protection_or_warranty", "compensation_claim", "energy_grant", "funeral", "subscription_trap",
        "advance_fee_loan", "invoice_redirect", "account_takeover", "money_mule", "call_blocker_request",
        "other_scam",
        # other
        "carer_theft", "elder_abuse_family", "cuckooing", "hate_incident", "age_hostility", "street_theft",
        "burglary", "legit_trader", "civil_dispute", "enquiry", "thanks", "council_service", "spam", "test",
        "prompt_injection", "unclear", "other",
    )
)  # fmt: skip


def kind_named(words: str) -> str | None:
    """The kind that somebody means, however she writes it (`Rogue trader`); None where it is none of them."""
    slug = "_".join(words.casefold().replace("-", " ").replace("_", " ").split())
    return slug if slug in KINDS else None
