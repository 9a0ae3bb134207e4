"""Colours and the style sheet: Okabe-Ito on a dark ground, never colour alone."""

from typing import Literal

LightLevel = Literal["ok", "amber", "red", "off"]

GROUND = "#12161b"
PANEL = "#1a2027"
RAISED = "#232b34"
EDGE = "#303a45"
TEXT = "#e8ecf0"
MUTED = "#9aa8b5"
GRID = "#2a333d"

OK = "#009e73"
WARN = "#e69f00"
FAULT = "#d55e00"
ACTION = "#0072b2"
OFF = "#999999"
LEFT = "#56b4e9"  #: left side of the body
RIGHT = "#e3cf87"  #: right side of the body; unlike any light
TRACE = "#8fd3bf"
TRIGGER = "#c3ccd5"
RECORDING = "#e5383b"  #: reserved for the recording dot and its label
VIRTUAL = "#cc79a7"

SHAPES = {"ok": "●", "amber": "▲", "red": "✕", "off": "○"}
COLOURS = {"ok": "#19b88a", "amber": WARN, "red": "#f0762b", "off": OFF}

MONO = "'DejaVu Sans Mono', 'Consolas', monospace"

STYLE = f"""
QWidget {{
    color: {TEXT};
    font-family: 'DejaVu Sans', 'Segoe UI', sans-serif; font-size: 12px;
}}
QWidget#window, QSplitter {{ background: {GROUND}; }}
QLabel {{ background: transparent; }}
QScrollArea, QWidget#rows {{ background: {PANEL}; }}
QFrame#panel {{
    background: {PANEL}; border: 1px solid {EDGE}; border-radius: 6px;
}}
QLabel#title {{
    color: {MUTED}; font-size: 12px; font-weight: 700; letter-spacing: 1px;
}}
QLabel#muted {{ color: {MUTED}; }}
QPushButton {{
    background: {RAISED}; border: 1px solid {EDGE}; border-radius: 6px;
    padding: 8px 16px; font-size: 14px; font-weight: 600;
}}
QPushButton:hover {{ border-color: {MUTED}; }}
QPushButton:focus {{ border: 2px solid {LEFT}; }}
QPushButton:disabled {{ color: #5d6873; background: {PANEL}; }}
QPushButton#primary {{ background: {ACTION}; border-color: #2a8ecb; color: white; }}
QPushButton#primary:disabled {{
    background: {PANEL}; color: #5d6873; border-color: {EDGE};
}}
QPushButton#abort {{
    background: #a4262c; border: 2px solid #e5686c; color: white;
    font-size: 17px; font-weight: 700; letter-spacing: 1px;
}}
QPushButton#danger {{ border: 2px solid {WARN}; color: {WARN}; }}
QPushButton#danger:disabled {{ border-color: {EDGE}; color: #5d6873; }}
QPushButton#abort:hover {{ background: #c22f36; }}
QLineEdit {{
    background: {GROUND}; border: 1px solid {EDGE}; border-radius: 4px; padding: 6px;
    font-size: 14px;
}}
QPlainTextEdit {{ background: {PANEL}; border: none; font-size: 12px; }}
QSplitter::handle {{ background: {GROUND}; }}
QToolTip {{ background: {RAISED}; color: {TEXT}; border: 1px solid {EDGE}; }}
QScrollBar:vertical {{ background: {PANEL}; width: 10px; }}
QScrollBar::handle:vertical {{ background: {EDGE}; border-radius: 4px; min-height: 20px; }}
QScrollBar::add-line, QScrollBar::sub-line {{ height: 0; }}
"""  # noqa: E501 (a style sheet reads better unbroken)
