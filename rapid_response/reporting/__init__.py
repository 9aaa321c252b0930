"""What the board and the managers see: figures from the event log, metrics."""
