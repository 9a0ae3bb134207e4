"""Qt without a screen, and no widget left behind."""

import gc
import os
import secrets

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QTimer
from PySide6.QtWidgets import QApplication

from acquire import lsl


@pytest.fixture(scope="session")
def qapp():
    return QApplication.instance() or QApplication(["kinemuse-tests"])


@pytest.fixture(autouse=True)
def no_widget_left(qapp):
    """Fail a test that leaves a top-level widget behind."""
    before = set(QApplication.topLevelWidgets())
    yield
    for collect in (False, True):
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        qapp.processEvents()
        left = [each for each in QApplication.topLevelWidgets() if each not in before]
        if left and not collect:
            gc.collect()
    for each in left:
        each.close()
        each.deleteLater()
    assert not left, f"left behind: {left}"


@pytest.fixture
def keep(qapp):
    """Take charge of a top-level widget: shown now, closed and deleted afterwards."""
    kept = []

    def take(widget, size=(640, 400)):
        kept.append(widget)
        widget.resize(*size)
        widget.show()
        qapp.processEvents()
        return widget

    yield take
    for widget in kept:
        widget.close()
        widget.deleteLater()


@pytest.fixture
def spin(qapp):  # noqa: ARG001
    """Run the event loop until something holds; fail when it does not in time."""

    def wait(what, timeout_s: float = 3.0) -> None:
        loop, ticker, end = QEventLoop(), QTimer(), QTimer()
        ticker.timeout.connect(lambda: loop.quit() if what() else None)
        end.setSingleShot(True)
        end.timeout.connect(loop.quit)
        ticker.start(10)
        end.start(round(timeout_s * 1000))
        if not what():
            loop.exec()
        ticker.stop()
        assert what(), f"did not happen within {timeout_s:g} s"

    return wait


@pytest.fixture(scope="session")
def lsl_session() -> str:
    if not lsl.is_configured():
        lsl.configure(f"test-{os.getpid()}-{secrets.token_hex(4)}")
    session_id = lsl.configured_session_id()
    assert session_id is not None
    return session_id
