"""A CGStream server whose frames a test writes by hand."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from devices.vicon.adapter import ViconAdapter
from devices.vicon.config import ViconConfig
from devices.vicon.twin_pack import Object
from devices.vicon.twin_server import CgStreamServer
from tests.builders.vicon_session import dynamics, session

EVERYTHING = frozenset(range(1, 42)) | {100004}
PERIOD_S = 0.004


class ScriptedServer:
    """Publishes `render(i)` for i = 0, 1... while anyone asks; None is left out.

    `statics` may be replaced from `render` through `describe`.
    """

    def __init__(
        self,
        render: Callable[[int], Sequence[Object] | None] = dynamics,
        statics: Sequence[Object] | None = None,
    ) -> None:
        self.server = CgStreamServer("127.0.0.1", 0, EVERYTHING)
        self.render = render
        self.n_described = 0
        self.describe(session() if statics is None else statics)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.failure: BaseException | None = None

    def describe(self, statics: Sequence[Object]) -> None:
        self.n_described += 1
        self.server.describe(statics, self.n_described)

    def adapter(self, **settings: Any) -> ViconAdapter:
        """Native by default."""
        ours = {"port": self.server.port, "back_end": "native"}
        config = ViconConfig.model_validate(ours | settings)
        return ViconAdapter("vicon", config, time.perf_counter)

    def __enter__(self) -> "ScriptedServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._thread.join(5.0)
        self.server.close()
        if self.failure:
            raise self.failure

    def _run(self) -> None:
        number, due_s = 0, time.perf_counter()
        try:
            while not self._stopped.is_set():
                self.server.poll(0.002)
                asked = any(client.asks for client in self.server.clients)
                if asked and time.perf_counter() >= due_s:
                    objects = self.render(number)
                    if objects is not None:
                        self.server.publish(number, objects)
                    number, due_s = number + 1, time.perf_counter() + PERIOD_S
        except BaseException as error:
            self.failure = error
