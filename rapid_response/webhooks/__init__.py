"""What the provider tells us: texts, calls and receipts, each with a checked signature."""
