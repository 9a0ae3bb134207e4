"""What can be wrong with a protocol, or with asking the runner for something."""


class ProtocolError(Exception):
    """Base of this package's errors."""


class ProtocolFileError(ProtocolError, ValueError):
    """A protocol file that cannot be read or is not valid; the message says where."""


class NotAllowedError(ProtocolError, RuntimeError):
    """The runner is in a state in which this request has no meaning."""


class IllegalTransitionError(ProtocolError, RuntimeError):
    """A defect: the table of transitions has no such way."""


class DeclinedError(ProtocolError):
    """The operator has declined what the protocol needs: the run is aborted."""
