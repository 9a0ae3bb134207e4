"""What can go wrong with a stream on the network, named by condition."""


class LslError(Exception):
    """Base of every error of this package."""


class LslConfigurationError(LslError, RuntimeError):
    """LSL is already configured otherwise in this process."""


class PredicateError(LslError, ValueError):
    """What was asked for is no XPath predicate."""


class StreamLostError(LslError, ConnectionError):
    """The stream is gone and cannot come back: its outlet gave no source id."""


class StreamTimeoutError(LslError, TimeoutError):
    """The outlet did not answer within the time allowed."""
