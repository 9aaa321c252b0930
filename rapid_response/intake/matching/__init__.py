"""What we already know: the same victim, house, caller or suspect in an earlier report, and why we think so.

Pure. A report's identifiers are normalised (:mod:`.profile`), each with keys by which an index finds likely
matches; those are compared (:mod:`.comparing`) and judged (:mod:`.judging`). The machine proposes, with a
reason in plain words; a person links (domain.md 1, *Series*). Age and vulnerability identify nobody and are
never looked at here.
"""
