"""The contract every adapter keeps, as checks that plug-in authors can import.

``check_adapter(make, port)`` runs an adapter against its twin, through a proxy that
splits, merges and delays bytes, and against peers that are something else. Each check
also stands alone. What is broken raises AssertionError and says what.
"""

import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager

import numpy as np
from numpy.typing import NDArray

from devices.adapter import DeviceAdapter
from devices.errors import DeviceError
from devices.stream import Chunk, StreamSpec
from devices.testing_peers import Proxy, closing, garbage, http, nobody, silent

Make = Callable[[str, int], DeviceAdapter]
Samples = dict[str, NDArray[np.generic]]

#: what may listen on a mistyped port
WRONG_PEERS: Mapping[str, Callable[[], AbstractContextManager[int]]] = {
    "nothing listens": nobody,
    "silent": silent,
    "HTTP": http,
    "garbage": garbage,
    "closes at once": closing,
}
SLACK_S = 1.0  #: by which an adapter may overrun its timeout


def check_adapter(
    make: Make, port: int, *, seconds: float = 1.0, timeout_s: float = 5.0
) -> Samples:
    """Run every check of a `DeviceAdapter` and return the samples of the last run.

    `make` builds an adapter for a host and a port; a twin listens on `port` and allows
    one client after another.
    """
    check_life_cycle(make, port, timeout_s=timeout_s)
    check_wrong_peers(make)
    direct = make("127.0.0.1", port)
    check_streams(direct, seconds=seconds, timeout_s=timeout_s)
    with Proxy(port) as proxy:
        adapter = make("127.0.0.1", proxy.port)
        return check_streams(adapter, seconds=seconds, timeout_s=timeout_s)


def check_life_cycle(make: Make, port: int, *, timeout_s: float = 5.0) -> None:
    """Close in any state, twice too; no reading before connect nor after close."""
    adapter = make("127.0.0.1", port)
    require(isinstance(adapter, DeviceAdapter), f"{adapter} is not a DeviceAdapter")
    require(bool(adapter.name), "an adapter has a name")
    adapter.close()
    must_raise(lambda: adapter.read(0.01), "read before connect")
    must_raise(adapter.start, "start before connect")
    for _ in range(2):
        specs = adapter.connect(timeout_s)
        require(len(specs) > 0, "connect describes no stream")
        adapter.start()
        adapter.stop()
        adapter.close()
        adapter.close()
        must_raise(lambda: adapter.read(0.01), "read after close")


def check_wrong_peers(make: Make, *, timeout_s: float = 0.5) -> None:
    """Whatever else is on the port: a `DeviceError` with words, within the timeout."""
    for what, peer in WRONG_PEERS.items():
        with peer() as port:
            adapter = make("127.0.0.1", port)
            began_s = time.perf_counter()
            error = must_raise(
                lambda adapter=adapter: adapter.connect(timeout_s),  # type: ignore[misc]
                f"connect when the peer is: {what}",
            )
            took_s = time.perf_counter() - began_s
            adapter.close()
            require(
                took_s <= timeout_s + SLACK_S,
                f"peer {what}: connect took {took_s:.2f} s of {timeout_s} s",
            )
            require(
                len(str(error)) >= 20, f"peer {what}: {error!r} does not say what to do"
            )


def check_streams(
    adapter: DeviceAdapter, *, seconds: float, timeout_s: float = 5.0
) -> Samples:
    """Read for a while: shapes, types, counters, stamps and rates are as described."""
    began_s = time.perf_counter()
    specs = {spec.name: spec for spec in adapter.connect(timeout_s)}
    try:
        adapter.start()
        chunks = _read_for(adapter, seconds)
        ended_s = time.perf_counter()
        adapter.stop()
    finally:
        adapter.close()
    unknown = {chunk.stream for chunk in chunks} - set(specs)
    require(not unknown, f"chunks of streams that connect did not describe: {unknown}")
    samples: Samples = {}
    for name, spec in specs.items():
        mine = [chunk for chunk in chunks if chunk.stream == name]
        for chunk in mine:
            check_chunk(spec, chunk)
        check_stamps(name, mine, began_s, ended_s)
        samples[name] = (
            np.concatenate([chunk.samples for chunk in mine])
            if mine
            else np.empty((0, len(spec.channels)))
        )
        check_counter(spec, samples[name])
        check_rate(spec, len(samples[name]), seconds)
    return samples


def check_chunk(spec: StreamSpec, chunk: Chunk) -> None:
    """Require at least one row, one column per channel, and the spec's dtype."""
    rows, columns = chunk.samples.shape
    require(rows > 0, f"{spec.name}: a chunk without samples")
    require(
        columns == len(spec.channels),
        f"{spec.name}: {columns} columns, {len(spec.channels)} channels described",
    )
    require(
        chunk.samples.dtype == np.dtype(spec.dtype),
        f"{spec.name}: samples are {chunk.samples.dtype}, described as {spec.dtype}",
    )
    require(
        spec.rate_hz > 0 or rows == 1,
        f"{spec.name} is irregular, yet a chunk holds {rows} samples",
    )


def check_stamps(
    name: str, chunks: list[Chunk], began_s: float, ended_s: float
) -> None:
    """Stamps grow, and lie between the connection and now on the host clock."""
    stamps = np.array([chunk.t_last for chunk in chunks])
    require(bool(np.all(np.diff(stamps) > 0)), f"{name}: t_last does not increase")
    inside = (stamps > began_s - 1.0) & (stamps <= ended_s + 1e-3)
    require(bool(inside.all()), f"{name}: t_last is not on the host clock")


def check_counter(spec: StreamSpec, samples: NDArray[np.generic]) -> None:
    """Consecutive samples differ by one, modulo the counter's modulus."""
    if spec.counter.source == "none":
        return
    column = [channel.label for channel in spec.channels].index(spec.counter.channel)
    count = samples[:, column].astype(np.int64)
    require(
        bool(np.all((count >= 0) & (count < spec.counter.modulus))),
        f"{spec.name}: counter leaves 0 to {spec.counter.modulus}",
    )
    steps = np.diff(count) % spec.counter.modulus
    wrong = np.flatnonzero(steps != 1)
    require(
        wrong.size == 0,
        f"{spec.name}: counter jumps at rows {wrong[:5].tolist()} "
        f"by {steps[wrong[:5]].tolist()}",
    )


def check_rate(spec: StreamSpec, n_samples: int, seconds: float) -> None:
    """Require about the nominal rate of a regular stream that is not gated."""
    if spec.trigger is not None and spec.trigger.role == "gates":
        return
    if spec.rate_hz == 0:
        require(n_samples > 0, f"{spec.name}: no sample in {seconds} s")
        return
    least, most = (0.25 * seconds, 1.2 * seconds + 1.0)  # a busy machine starts late
    require(
        least * spec.rate_hz <= n_samples <= most * spec.rate_hz,
        f"{spec.name}: {n_samples} samples in {seconds} s at {spec.rate_hz} Hz",
    )


def require(condition: bool, message: str) -> None:
    """Raise AssertionError unless the condition holds."""
    if not condition:
        raise AssertionError(message)


def must_raise(act: Callable[[], object], what: str) -> DeviceError:
    """Return the `DeviceError` that `act` raises; anything else breaks the contract."""
    try:
        act()
    except DeviceError as error:
        return error
    except Exception as error:
        raise AssertionError(f"{what} raised {error!r}, not a DeviceError") from error
    raise AssertionError(f"{what} raised nothing; a DeviceError is due")


def _read_for(adapter: DeviceAdapter, seconds: float) -> list[Chunk]:
    chunks: list[Chunk] = []
    end_s = time.perf_counter() + seconds
    while time.perf_counter() < end_s:
        began_s = time.perf_counter()
        chunks += adapter.read(0.05)
        took_s = time.perf_counter() - began_s
        require(took_s < 0.05 + SLACK_S, f"read(0.05) took {took_s:.2f} s")
    return chunks
