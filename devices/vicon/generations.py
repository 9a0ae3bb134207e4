"""Which generation of a stream a description is: one source id, one set of channels.

A recorder tells streams apart by their source id, which holds the generation. What was
used last is kept in a file, so that a process that starts anew does not offer other
channels under the id of the last one.
"""

import hashlib
import json
import logging
from dataclasses import asdict, replace
from pathlib import Path

from devices.stream import StreamSpec

log = logging.getLogger("kinemuse.vicon")


class Generations:
    """Numbers descriptions of streams; without `state_file` within this process alone.

    A description equal to the last one of its name has its generation; any other has
    the next.
    """

    def __init__(self, state_file: Path | None = None) -> None:
        self._file = state_file
        self._last = _read(state_file) if state_file else {}

    def number(self, spec: StreamSpec) -> StreamSpec:
        """Return the description with its generation, which from now on is taken."""
        content = _fingerprint(spec)
        generation, known = self._last.get(spec.name, (-1, ""))
        if content != known:
            generation += 1
            self._last[spec.name] = generation, content
            self._keep()
        return replace(spec, generation=generation)

    def _keep(self) -> None:
        if self._file is None:
            return
        draft = self._file.with_name(f"{self._file.name}.draft")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft.write_text(json.dumps(self._last))
            draft.replace(self._file)
        except OSError as error:
            log.warning("generations of streams are not kept: %s", error)


def _fingerprint(spec: StreamSpec) -> str:
    described = asdict(replace(spec, generation=0))
    text = json.dumps(described, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _read(path: Path) -> dict[str, tuple[int, str]]:
    try:
        found = json.loads(path.read_text())
        return {str(name): (int(n), str(text)) for name, (n, text) in found.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        log.warning("%s is not readable, generations begin anew: %s", path, error)
        return {}
