import subprocess
import sys

import pytest

from acquire.recorder.memory import keep_memory_together, return_free_memory

linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="other systems do so by themselves"
)

GROW = """
import ctypes, psutil
from acquire.recorder.memory import return_free_memory
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
pieces = [libc.malloc(2000) for _ in range(20_000)]
for piece in pieces:
    ctypes.memset(piece, 1, 2000)
for k, piece in enumerate(pieces):
    if k % 50:  # those that stay keep the heap from shrinking at its end
        libc.free(piece)
rss = psutil.Process().memory_info
before = rss().rss
return_free_memory()
print(before - rss().rss)
"""


THREADS = """
import ctypes, threading
from acquire.recorder.memory import keep_memory_together
keep_memory_together()
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
barrier = threading.Barrier(8)
def allocate():
    barrier.wait()
    for _ in range(1000):
        libc.malloc(200)
threads = [threading.Thread(target=allocate) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


def printed_by(program: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout


@linux
def test_all_threads_share_one_heap() -> None:
    assert printed_by(THREADS).count("<heap nr=") == 1
    apart = THREADS.replace("\nkeep_memory_together()", "")
    assert printed_by(apart).count("<heap nr=") > 1


@linux
def test_what_is_free_in_between_goes_back() -> None:
    assert int(printed_by(GROW)) > 20e6  # of 40 MB


def test_it_is_harmless_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acquire.recorder.memory._libc", None)
    keep_memory_together()
    return_free_memory()
