"""Unpack the points of a LAZ file in a process of its own: ``python laz_points.py FILE``.

A damaged file can make the decoder ask for tens of gigabytes or abort, which no exception handler survives. Here that
costs a child process, whose memory is limited. The points go to standard output as the file's point records.
"""

from __future__ import annotations

import os
import sys

MEMORY_BYTES = 4 << 30
CHUNK = 1_000_000


def main(path: str) -> None:
    """Write all points of a file to standard output."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    import laspy

    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing but points goes there
    with laspy.open(path) as reader:
        for points in reader.chunk_iterator(CHUNK):
            out.write(points.array.tobytes())
    out.close()


if __name__ == "__main__":
    main(sys.argv[1])
