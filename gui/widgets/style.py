"""Style sheets are costly to set: set them only when they change."""

from PySide6.QtWidgets import QWidget


def restyle(widget: QWidget, style: str) -> None:
    """Give `widget` a style sheet unless it has it already."""
    if widget.styleSheet() != style:
        widget.setStyleSheet(style)
