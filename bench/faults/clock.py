"""A clock that can be set for some processes, while the machine's own stays as it is.

A small library is compiled and loaded before all others (`LD_PRELOAD`): it adds to every answer about the
time of day what stands in a file. So not only our own code sees the clock jump, but every library in the
process, and PostgreSQL itself; clocks that nobody can set go on as they did. What the kernel asks of its own
clock (a wait until a time of day) is not moved; neither Python nor PostgreSQL waits so.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Self

_FILE = "FAULTS_CLOCK_FILE"
_SOURCE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile long long *ahead; /* nanoseconds */

__attribute__((constructor)) static void open_file(void) {
    const char *name = getenv("FAULTS_CLOCK_FILE");
    int file = name ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0) return;
    void *found = mmap(NULL, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
    if (found != MAP_FAILED) ahead = found;
    close(file);
}

int clock_gettime(clockid_t which, struct timespec *out) {
    int failed = (int)syscall(SYS_clock_gettime, which, out);
    if (failed || !ahead || (which != CLOCK_REALTIME && which != CLOCK_REALTIME_COARSE)) return failed;
    long long said = out->tv_sec * 1000000000LL + out->tv_nsec + *ahead;
    out->tv_sec = said / 1000000000LL;
    out->tv_nsec = said % 1000000000LL;
    return 0;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
"""


class NoCompiler(Exception):
    """The clock cannot be built here."""


class SettableClock:
    """The clock of every process that is started in :meth:`for_children`."""

    def __init__(self, library: Path, file: Path) -> None:
        self._library, self._file = library, file

    @classmethod
    def built(cls, folder: Path) -> Self:
        """Compile it into that folder; everybody may read it, PostgreSQL's user too."""
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            raise NoCompiler("a C compiler (cc) is wanted for a clock that can be set")
        source, library, file = folder / "clock.c", folder / "clock.so", folder / "ahead"
        source.write_text(_SOURCE)
        done = subprocess.run(
            [compiler, "-O1", "-shared", "-fPIC", "-o", str(library), str(source)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise NoCompiler(f"the clock could not be compiled: {done.stderr[-300:]}")
        clock = cls(library, file)
        clock.jumps_to(timedelta())
        folder.chmod(0o755)
        for path in (library, file):
            path.chmod(0o644)
        return clock

    def jumps_to(self, ahead: timedelta) -> None:
        """From this moment it is so far ahead of the machine's."""
        nanoseconds = round(ahead.total_seconds() * 1_000_000) * 1000
        # In place, and as one write: whoever has it open sees the old or the new time, none between.
        handle = os.open(self._file, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.pwrite(handle, struct.pack("=q", nanoseconds), 0)
        finally:
            os.close(handle)

    @contextmanager
    def for_children(self) -> Iterator[None]:
        """Whatever is started meanwhile goes by this clock; this process does not."""
        given = {"LD_PRELOAD": str(self._library), _FILE: str(self._file)}
        before = {name: os.environ.get(name) for name in given}
        os.environ.update(given)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
