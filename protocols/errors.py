"""What can be wrong with a protocol, or with asking the runner for something."""


class ProtocolError(Exception):
    """Base of this package's errors."""


class ProtocolFileError(ProtocolError, ValueError):
    """A protocol file that cannot be read or is not valid; the message says where."""


class NotAllowedError(ProtocolError, RuntimeError):
    """The runner is in a state in which this request has no meaning."""
