"""Partners: what each of them needs of a case, and when an adult safeguarding concern is indicated."""
