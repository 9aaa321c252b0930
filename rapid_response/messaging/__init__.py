"""What goes out: texts and calls, their wording, and who carries them."""
