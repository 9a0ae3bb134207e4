"""What can go wrong with a device, named by condition."""


class DeviceError(Exception):
    """Base of every error an adapter raises."""


class DeviceConnectionError(DeviceError, ConnectionError):
    """The device cannot be reached, or the connection was lost."""


class DeviceTimeoutError(DeviceError, TimeoutError):
    """The device was reached but did not answer within the time allowed."""


class WireFormatError(DeviceError, ValueError):
    """Bytes arrived that are not the expected protocol."""


class SetpointRejectedError(DeviceError, ValueError):
    """A commanded value is outside the limits, or not allowed in this state."""


class DeviceNotFoundError(DeviceError, LookupError):
    """No device kind of that name is installed."""
