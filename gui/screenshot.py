"""Save a picture of the window."""

from pathlib import Path

from PySide6.QtWidgets import QWidget


def save_screenshot(widget: QWidget, path: Path) -> Path:
    """Write `widget` as it is now to a PNG file.

    Raises
    ------
    OSError
        The file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not widget.grab().save(str(path), "PNG"):
        raise OSError(f"{path}: the picture could not be written")
    return path
