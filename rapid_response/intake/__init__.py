"""What reaches us: reading a report's text, deciding its priority, taking it in."""
