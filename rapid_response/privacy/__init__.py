"""Privacy: how long people's data is kept, and whose case a case is."""
