"""The ``SourceData`` tree: each instrument's own files, named as K2MUSE names them."""

from acquire.dataset.source_tree.write import (
    SourceResult,
    list_source_files,
    write_source_files,
    write_source_tree,
)

__all__ = [
    "SourceResult",
    "list_source_files",
    "write_source_files",
    "write_source_tree",
]
