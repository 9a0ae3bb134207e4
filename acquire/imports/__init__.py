"""Files of other laboratories' instruments, made into trial archives.

A profile declares where which files lie and what is in them; nothing is guessed
unasked. `acquire.imports.propose` suggests a profile for a folder.
"""

from acquire.imports.errors import ProfileError, SourceFileError
from acquire.imports.profile import ImportProfile, load_profile
from acquire.imports.run import ImportResult, import_folder

__all__ = [
    "ImportProfile",
    "ImportResult",
    "ProfileError",
    "SourceFileError",
    "import_folder",
    "load_profile",
]
