"""GET requests to MR over one persistent connection."""

import http.client

from devices.errors import DeviceConnectionError, DeviceTimeoutError, WireFormatError

MOST_REPLY_BYTES = 64 << 20


class HttpLink:
    """Asks one thing at a time. Every error is a `DeviceError`."""

    def __init__(self, host: str, port: int, *, port_option: str) -> None:
        self.host, self.port, self._port_option = host, port, port_option
        self._connection: http.client.HTTPConnection | None = None

    def open(self, timeout_s: float) -> None:
        self.close()
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout_s)
        try:
            connection.connect()
        except OSError as error:
            connection.close()
            raise DeviceConnectionError(
                f"no connection to {self.host}:{self.port} ({error}); is MR's HTTP "
                f"streaming enabled, a measurement running, {self._port_option} right?"
            ) from error
        self._connection = connection

    def get(self, path: str, timeout_s: float) -> bytes:
        """Return the body of the reply to ``GET path``."""
        if self._connection is None:
            raise DeviceConnectionError(f"{self.host}:{self.port} is not open")
        where = f"http://{self.host}:{self.port}{path}"
        try:
            if self._connection.sock is None:  # the server closed after its last reply
                self._connection.timeout = timeout_s
                self._connection.connect()
            self._connection.sock.settimeout(max(timeout_s, 0.001))
            self._connection.request("GET", path)
            reply = self._connection.getresponse()
            body = reply.read(MOST_REPLY_BYTES)
        except TimeoutError as error:
            raise DeviceTimeoutError(
                f"{where} did not answer within {timeout_s:.2f} s; is this MR?"
            ) from error
        except http.client.BadStatusLine as error:
            if isinstance(error, http.client.RemoteDisconnected):
                raise DeviceConnectionError(f"{where}: MR closed it") from error
            raise WireFormatError(f"{where} is no web server: {error!r:.80}") from error
        except (OSError, http.client.HTTPException) as error:
            raise DeviceConnectionError(f"{where}: {error!r:.120}") from error
        if reply.status != http.client.OK:
            raise WireFormatError(
                f"{where} answered {reply.status} {reply.reason}; is another web "
                f"server on this port ({self._port_option})?"
            )
        return body

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
