"""Plots draw what they are fed, on a pixmap of any size."""

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage

from gui import theme
from gui.models.lanes import LaneSpec
from gui.models.notes import Note
from gui.models.skeleton import figure
from gui.plots.figure_view import FigureView
from gui.plots.mmode_view import MModeView
from gui.plots.sweep_view import GUTTER_LEFT, GUTTER_RIGHT, SweepView


def lane(label: str = "R_TA", colour: str = "#ff0000") -> LaneSpec:
    return LaneSpec(0, label, label, -1.0, 1.0, "µV", colour)


def pixels(widget) -> np.ndarray:
    """The widget as drawn, shape (height, width), 0xAARRGGBB."""
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    flat = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), -1)
    return flat[:, : image.width()].copy()


def lit(widget, colour: str) -> np.ndarray:
    """Columns of the widget in which `colour` is drawn."""
    return np.flatnonzero((pixels(widget) == QColor(colour).rgb()).any(axis=0))


@pytest.fixture
def sweep(keep):
    return keep(SweepView([lane()], 100.0, 5.0), (374, 60))


def test_a_sweep_draws_from_the_left(sweep) -> None:
    assert sweep.sweep.n_bins == 374 - GUTTER_LEFT - GUTTER_RIGHT
    sweep.feed(np.sin(np.arange(250))[:, None])
    columns = lit(sweep, "#ff0000")
    assert columns.min() == GUTTER_LEFT
    assert columns.max() == GUTTER_LEFT + 99


def test_small_chunks_draw_the_same_as_one(keep) -> None:
    x = np.sin(np.arange(400) * 0.7)[:, None]
    one = keep(SweepView([lane()], 100.0, 5.0), (374, 60))
    many = keep(SweepView([lane()], 100.0, 5.0), (374, 60))
    one.feed(x)
    for part in np.array_split(x, 57):
        many.feed(part)
    assert np.array_equal(lit(one, "#ff0000"), lit(many, "#ff0000"))


def test_a_loss_is_seen_as_a_hole(sweep) -> None:
    skipped = np.zeros(200)
    skipped[100] = 100
    sweep.feed(np.ones((200, 1)) * 0.5, skipped)
    columns = lit(sweep, "#ff0000") - GUTTER_LEFT
    assert set(range(42, 78)).isdisjoint(columns.tolist())
    assert {10, 30, 90, 110} <= set(columns.tolist())


def test_a_lap_erases_ahead_of_the_bar(sweep) -> None:
    sweep.feed(np.ones((500, 1)) * 0.5)
    sweep.feed(np.ones((100, 1)) * 0.5)
    columns = set((lit(sweep, "#ff0000") - GUTTER_LEFT).tolist())
    assert 39 in columns
    assert set(range(41, 49)).isdisjoint(columns)
    assert 60 in columns


def test_values_beyond_the_range_stay_in_their_lane(keep) -> None:
    view = keep(SweepView([lane(), lane("L", "#00ff00")], 100.0, 5.0), (374, 80))
    x = np.column_stack([np.full(100, -50.0), np.zeros(100)])
    view.feed(x)
    drawn = pixels(view)[:, GUTTER_LEFT + 20]
    rows = np.flatnonzero(drawn == QColor("#ff0000").rgb())
    assert rows.size
    assert rows.max() < 40


def test_resizing_and_clearing_start_anew(sweep, qapp) -> None:
    sweep.feed(np.ones((500, 1)))
    sweep.resize(600, 90)
    qapp.processEvents()
    assert sweep.sweep.n_bins == 600 - GUTTER_LEFT - GUTTER_RIGHT
    sweep.feed(np.ones((100, 1)))
    assert lit(sweep, "#ff0000").size
    sweep.clear()
    assert not lit(sweep, "#ff0000").size


def test_a_new_range_redraws_what_is_there(sweep) -> None:
    sweep.feed(np.ones((200, 1)) * 0.5)
    before = lit(sweep, "#ff0000")
    sweep.set_ranges([(-10.0, 10.0)])
    assert np.array_equal(lit(sweep, "#ff0000"), before)
    assert sweep.lanes[0].high == 10.0


def test_notes_are_drawn_with_their_light(sweep) -> None:
    before = pixels(sweep)
    sweep.set_notes([Note("red", "open electrode", "240 Hz")])
    changed = np.flatnonzero((pixels(sweep) != before).any(axis=0))
    assert changed.min() < GUTTER_LEFT
    assert changed.max() > 374 - GUTTER_RIGHT
    assert not ((changed > GUTTER_LEFT) & (changed < 374 - GUTTER_RIGHT)).any()


def test_sweep_fits_where_there_is_hardly_room(keep) -> None:
    view = keep(SweepView([lane()] * 3, 2000.0, 5.0), (50, 5))
    view.feed(np.zeros((5000, 3)))
    view.grab()


def test_figure_shows_sides_in_their_colours(keep) -> None:
    view = keep(FigureView(), (400, 220))
    columns = {
        "LKNE": (0, 1, 2),
        "LTIB": (3, 4, 5),
        "RKNE": (6, 7, 8),
        "RTIB": (9, 10, 11),
    }
    rows = np.array([[0, 0.1, 0.5, 0, 0.1, 0.3, 0.2, -0.1, 0.5, 0.2, -0.1, 0.3]])
    view.show_figure(figure(columns, rows))
    assert lit(view, theme.LEFT).size
    assert lit(view, theme.RIGHT).size
    hidden = np.vstack([rows, rows])
    hidden[1, :3] = np.nan
    view.show_figure(figure(columns, hidden))
    assert lit(view, theme.COLOURS["red"]).size
    view.show_figure(None)
    assert not lit(view, theme.LEFT).size


def test_mmode_draws_pictures_and_lines(keep) -> None:
    view = keep(MModeView(["CH1", "CH2"], rate_hz=20.0, depth_mm=38.5), (500, 200))
    before = pixels(view)
    frames = np.random.default_rng(0).normal(0, 50, (30, 2, 1000))
    frames[:, :, 400:410] = 900
    view.feed(frames)
    assert (pixels(view) != before).any()
    assert view.model.column == 29
    view.close_canvas()
