"""Whether a victim was chosen for her age: evidence, review, referral. Only a person decides."""
