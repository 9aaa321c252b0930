"""What PostgreSQL's codes of errors mean to us."""

from __future__ import annotations

#: A prepared statement is not there any more, or its table has changed since: it is prepared anew when it is
#: next asked.
FORGOTTEN = frozenset({"26000", "0A000"})
#: Serialisation failure, deadlock, and a row another node was quicker to insert: the transaction did nothing,
#: and run again it sees what the other wrote.
RETRYABLE = frozenset({"40001", "40P01", "23505"}) | FORGOTTEN
#: The server is shutting down or starting, out of room, memory or connections, has a lock that nobody gives
#: back, or has become a copy that cannot be written: the codes, or the beginning of them.
UNAVAILABLE = ("08", "53", "57", "58", "55P03", "25006")
