"""What can be wrong with a profile or with a file it names."""


class ProfileError(ValueError):
    """An import profile cannot be read, or does not fit the folder."""


class SourceFileError(ValueError):
    """A file is not laid out as the profile says; the message says what it is."""
