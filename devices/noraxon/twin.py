"""MR's HTTP streaming, simulated: ``python -m devices.noraxon.twin``."""

import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from devices.noraxon.twin_amplifier import Amplifier, Muscles, Options
from devices.sim.twin_process import run, twin_config
from devices.sim.world import Lab


class NoraxonTwin:
    """Answers MR's four paths; each ``/samples`` takes away what it returns.

    Faults: those of `Amplifier`, and ``refuse`` and ``disconnect`` (connections are
    closed without an answer), ``stall`` (answers wait until it is over).
    """

    def __init__(
        self,
        lab: Lab,
        name: str,
        port: int | None = None,
        person: Muscles | None = None,
    ) -> None:
        config = twin_config(lab, name, port)
        options = Options.model_validate(config.options)
        self.amplifier = Amplifier(lab, name, config.clock, options, person)
        self.amplifier.keep_up()
        self._server = _Server((config.host, config.port), _Handler)
        self._server.amplifier = self.amplifier
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def step(self, timeout_s: float) -> None:
        """Wait: requests are answered on threads of their own."""
        time.sleep(timeout_s)
        self.amplifier.keep_up()
        if self.amplifier.refuses():
            self._server.drop_clients()

    def close(self) -> None:
        self._server.shutdown()
        self._server.drop_clients()
        self._server.server_close()
        self._thread.join(2.0)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    amplifier: Amplifier

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.clients: set[socket.socket] = set()

    def drop_clients(self) -> None:
        for client in [*self.clients]:
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                self.clients.discard(client)

    def handle_error(self, *_: object) -> None:
        """Stay quiet: a client that leaves in mid-reply is no error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body in one segment
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.clients.add(self.connection)

    def finish(self) -> None:
        self.server.clients.discard(self.connection)
        super().finish()

    def do_GET(self) -> None:
        amplifier = self.server.amplifier
        amplifier.wait_while_stalled()
        if amplifier.refuses():
            self.close_connection = True
            return
        reply = amplifier.answer(self.path)
        if reply is None:
            self.send_error(404)
            return
        body = json.dumps(reply, separators=(",", ":")).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


def main() -> None:
    """Run MR's HTTP streaming of a simulated lab."""
    run(NoraxonTwin, "Noraxon MR HTTP streaming, simulated")


if __name__ == "__main__":
    main()
