"""The vocabulary everything else speaks: standard library only, no I/O."""
