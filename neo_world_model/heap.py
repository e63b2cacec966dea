"""Large blocks of memory are kept between the steps of a training on a CPU.

glibc gives blocks above 32 MB back to the kernel as soon as they are free, and the next step's pictures and
activations are zeroed page by page again: a tenth of a training's time.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

TRIM_THRESHOLD, MMAP_MAX = -1, -4  # mallopt(3)
AS_BUILT = {TRIM_THRESHOLD: 128 * 1024, MMAP_MAX: 65536}
KEPT = {TRIM_THRESHOLD: 2**31 - 1, MMAP_MAX: 0}  # no block is mapped by itself, nothing goes back


@contextmanager
def kept() -> Iterator[None]:
    """Freed memory stays with this process until the block ends; as ever where the C library is not glibc."""
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallopt"):
        yield
        return
    for name, value in KEPT.items():
        library.mallopt(name, value)
    try:
        yield
    finally:
        for name, value in AS_BUILT.items():
            library.mallopt(name, value)
        library.malloc_trim(0)
