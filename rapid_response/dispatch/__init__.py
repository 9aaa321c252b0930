"""Who is asked, what they answer, and who is told."""
