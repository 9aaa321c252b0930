"""Tables, transactions, the event log, and work that falls due."""
