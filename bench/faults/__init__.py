"""Faults of the machine, put to serving processes.

A clock that jumps, a full disk, a damaged page, a second process on one file, a dead server.
"""
