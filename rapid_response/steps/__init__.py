"""What happens to a case: each is a step, one transaction that loads, decides, writes and records."""
