"""LabRecorder's remote control socket: lines over TCP, port 22345.

Commands end with a newline; several may come in one packet, one in several. The reply
to each is ``OK`` without a newline, exactly as LabRecorder writes it, but only after
the act; what was not done is answered with ``ERROR: reason`` and a newline. ``status``
is answered with one line of JSON.

Programs of this computer need no password. Every other has to send ``token SECRET``
first, and is not listened to at all unless the server was told to.
"""

import contextlib
import ipaddress
import logging
import os
import secrets
import socket
import socketserver
import threading

from acquire.recorder.remote.session import OK, CommandError, RemoteSession

log = logging.getLogger("kinemuse.remote")

HOST = "127.0.0.1"
PORT = 22345
MAX_LINE_BYTES = 16_384
MAX_CLIENTS = 16
MIN_TOKEN_CHARACTERS = 8


class RemoteServer:
    """Answers on one port until closed; each client on a thread of its own.

    Parameters
    ----------
    host
        Address of the interface to listen on. Beyond loopback a `token` is needed.
    port
        0 takes a free one; `port` then says which.

    Raises
    ------
    ValueError
        An address beyond loopback without a token, or with a short one.
    OSError
        The port is taken.
    """

    def __init__(
        self,
        session: RemoteSession,
        host: str = HOST,
        port: int = PORT,
        token: str = "",
    ) -> None:
        if not is_loopback(host) and len(token) < MIN_TOKEN_CHARACTERS:
            raise ValueError(
                f"{host} can be reached from other computers: that needs a token of at "
                f"least {MIN_TOKEN_CHARACTERS} characters"
            )
        try:
            self._server = _Server((host, port), _Client)
        except OSError as error:
            raise OSError(
                error.errno,
                f"cannot listen on port {port} of {host} ({error.strerror}); does "
                "LabRecorder run? Choose another port with --remote-port",
            ) from error
        self._server.session, self._server.token = session, token
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.1},
            name="remote",
            daemon=True,
        )
        self._thread.start()

    def close(self) -> None:
        """Stop answering, and hang up on everybody; legal twice."""
        self._server.shutdown()
        self._thread.join(timeout=2.0)
        self._server.hang_up()
        self._server.server_close()

    def __enter__(self) -> "RemoteServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def is_loopback(host: str) -> bool:
    """Whether an address is reached from this computer only."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = os.name != "nt"  # there it would let others take the port
    session: RemoteSession
    token: str

    def __init__(self, address: tuple[str, int], handler: type["_Client"]) -> None:
        self.clients: set[socket.socket] = set()
        if ":" in address[0]:
            self.address_family = socket.AF_INET6
        super().__init__(address, handler)

    def hang_up(self) -> None:
        for client in list(self.clients):
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)


class _Client(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self) -> None:
        server = self.server
        if not isinstance(server, _Server):
            raise TypeError(type(server))
        if len(server.clients) >= MAX_CLIENTS:
            return
        server.clients.add(self.connection)
        try:
            self._converse(server)
        except OSError as error:
            log.debug("%s went away: %s", self.client_address, error)
        finally:
            server.clients.discard(self.connection)

    def _converse(self, server: _Server) -> None:
        known = is_loopback(self.client_address[0])
        while line := self.rfile.readline(MAX_LINE_BYTES):
            if not line.endswith(b"\n"):
                log.warning("a line without its newline is not obeyed: %r", line[:80])
                return
            text = line.decode("utf-8", "replace").strip()
            if not text:
                continue
            if text.endswith(("HTTP/1.0", "HTTP/1.1", "HTTP/2.0")):
                log.warning("a web page tried to reach the recorder: %r", text[:80])
                return
            if text.startswith("token "):
                known = self._admit(server, text.removeprefix("token ").strip(), known)
                if not known:
                    return
            elif known:
                self._answer(server, text)
            else:
                self._say(f"ERROR: from {self.client_address[0]} a token is needed\n")
                return

    def _admit(self, server: _Server, token: str, known: bool) -> bool:
        if not server.token and known:
            self._say(OK)
            return True
        if secrets.compare_digest(token.encode(), server.token.encode()):
            self._say(OK)
            return True
        log.warning("%s gave a wrong token", self.client_address[0])
        self._say("ERROR: wrong token\n")
        return False

    def _answer(self, server: _Server, text: str) -> None:
        log.info("%s: %s", self.client_address[0], text)
        try:
            reply = server.session.handle(text)
        except CommandError as error:
            log.warning("%s was not done: %s", text, error)
            self._say("ERROR: " + " ".join(str(error).split()) + "\n")
            return
        self._say(reply if reply == OK else reply + "\n")

    def _say(self, reply: str) -> None:
        self.wfile.write(reply.encode())
