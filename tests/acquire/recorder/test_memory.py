import subprocess
import sys

import pytest

from acquire.recorder.memory import return_free_memory

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


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="other systems do so by themselves"
)
def test_what_is_free_in_between_goes_back() -> None:
    said = subprocess.run(
        [sys.executable, "-c", GROW], capture_output=True, text=True, check=True
    )
    assert int(said.stdout) > 20e6  # of 40 MB


def test_it_is_harmless_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("acquire.recorder.memory._trim", None)
    return_free_memory()
