"""Build many participants at once: in processes of this machine, or on a Dask cluster.

Either way the same function builds each participant's files; only the caller lists
them in the manifest, so that one process alone writes it.
"""

import contextlib
import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

from acquire.dataset.build import Progress, build, list_files
from acquire.dataset.build_result import BuildResult
from acquire.storage.layout import find_participants

ALL = "all"


class SchedulerError(ValueError):
    """The scheduler cannot be used: not installed, or not reached."""


@dataclass(frozen=True, eq=False)
class ManyBuilt:
    """What became of every participant: a result, or the error in words."""

    built: dict[str, BuildResult] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def chosen_participants(dataset: Path, asked: str) -> list[str]:
    """Return the participants in ``all`` or ``P43,P44``, in order.

    Raises
    ------
    ValueError
        A name has no recordings in the dataset, or nobody has.
    """
    there = find_participants(dataset)
    wanted = there if asked == ALL else [name.strip() for name in asked.split(",")]
    absent = [name for name in wanted if name not in there]
    if absent or not wanted:
        raise ValueError(
            f"{dataset} has no recordings of {', '.join(absent) or 'anybody'}; "
            f"there are {', '.join(there) or 'none'}"
        )
    return list(dict.fromkeys(wanted))


def build_many(
    dataset: Path,
    participants: Sequence[str],
    *,
    scheduler: str = "",
    workers: int | None = None,
    wait_s: float = 10.0,
    progress: Progress = lambda _: None,
    nexus: Path | None = None,
    sources: bool = False,
) -> ManyBuilt:
    """Build every participant; one that fails does not stop the others.

    `scheduler` is the address of a Dask scheduler whose workers see the same dataset
    folder (``tcp://host:8786``), waited for at most `wait_s`; without it `workers`
    processes of this machine work. `nexus` is a folder of processed C3D files, seen
    by all of them; with `sources` the ``SourceData`` tree is written too.

    Raises
    ------
    SchedulerError
        Dask is not installed, or the scheduler does not answer.
    """
    made = ManyBuilt()
    root = dataset.resolve()
    with _pool(scheduler, workers, wait_s) as pool:
        pending = {
            pool.submit(
                build, root, name, nexus=nexus, sources=sources, listed=False
            ): name
            for name in participants
        }
        for done, future in enumerate(as_completed(pending), 1):
            name = pending[future]
            try:
                result = future.result()
            except Exception as error:
                made.failed[name] = f"{type(error).__name__}: {error}"
            else:
                list_files(root, result)
                made.built[name] = result
            outcome = "failed" if name in made.failed else "built"
            progress(f"{name} {outcome} ({done} of {len(pending)})")
    return made


@contextlib.contextmanager
def _pool(scheduler: str, workers: int | None, wait_s: float) -> Iterator[Executor]:
    if not scheduler:
        spawn = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(workers, mp_context=spawn) as pool:
            yield pool
        return
    try:
        from distributed import Client
    except ImportError:
        raise SchedulerError(
            f"--scheduler {scheduler} needs Dask: install the package 'distributed'"
        ) from None
    try:
        client = Client(scheduler, timeout=wait_s)
    except (OSError, ValueError) as error:
        raise SchedulerError(
            f"no Dask scheduler answers at {scheduler} ({error})"
        ) from error
    with client, client.get_executor(pure=False) as pool:
        yield pool
