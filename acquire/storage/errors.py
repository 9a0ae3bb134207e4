"""What can go wrong with stored recordings, named by condition."""


class StorageError(OSError):
    """Base of every storage error; nothing that was accepted is dropped silently."""


class StorageFullError(StorageError):
    """The disk (or quota) is full; what could not be written is kept and retried."""


class AlreadyExistsError(StorageError, FileExistsError):
    """A file of that name exists; recordings never overwrite."""


class NotARecordingError(StorageError, ValueError):
    """The file is not one of the formats this package reads."""


class LayoutError(StorageError, ValueError):
    """A name is not one of the dataset folder's names."""


class MixedDatasetError(StorageError, ValueError):
    """Virtual and real recordings would end up in one dataset."""


class VerificationError(StorageError):
    """What was read back is not what was written."""
