"""Figures of an alignment are drawn, whatever it found."""

import io

import pytest

from acquire.align import align
from acquire.align.plot import alignment_figure, stream_figure
from tests.builders.lab_recording import amode, record, semg


@pytest.mark.parametrize("vicon", [True, False])
def test_figure_is_drawn(vicon: bool) -> None:
    lab = record(semg(drop=((18000, 40),)), amode(drop=((90, 5),)), vicon=vicon)
    found = align(lab.recording)
    figure = alignment_figure(found)
    out = io.BytesIO()
    figure.savefig(out, format="png")
    assert out.getvalue().startswith(b"\x89PNG")
    assert len(figure.axes) == (2 if vicon else 0)


def test_one_stream() -> None:
    found = align(record(semg()).recording)
    figure = stream_figure(found.streams["semg"], found.t0_s)
    (axis,) = figure.axes
    assert "semg: ● ok" in axis.get_title(loc="left")
