"""Frames from text: orientation, losses, and frames that nobody measured."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from acquire.imports.errors import SourceFileError
from acquire.imports.profile import UltrasoundFiles
from acquire.imports.ultrasound_text import (
    joined_probes,
    lost_frames,
    read_frames,
    suspicious,
)

FRAMES = np.random.default_rng(2).integers(-900, 900, (12, 1000))


def layout(**changes):
    return UltrasoundFiles(files=("x",), **changes)


def write(path, table, delimiter="\t", head=()):
    lines = [delimiter.join(map(str, row)) for row in table.tolist()]
    path.write_text("\n".join([*head, *lines]) + "\n")
    return path


@pytest.mark.parametrize(
    ("table", "delimiter", "head", "changes"),
    [
        (FRAMES, "\t", (), {}),
        (FRAMES, ",", (), {"delimiter": "comma"}),
        (FRAMES, " ", ("a", "b"), {"delimiter": "space", "header_rows": 2}),
        (FRAMES.T, "\t", (), {"frames": "columns"}),
        (
            np.column_stack([np.arange(1000), FRAMES.T]),
            "\t",
            (),
            {"frames": "columns", "first_frame": 1},
        ),
    ],
)
def test_every_declared_layout_is_read(
    tmp_path, table, delimiter, head, changes
) -> None:
    path = write(tmp_path / "a.txt", table, delimiter, head)
    assert np.array_equal(read_frames(path, layout(**changes)), FRAMES)


@pytest.mark.parametrize(
    ("table", "changes", "told"),
    [
        (FRAMES.T, {}, "declare ultrasound.frames: columns"),
        (FRAMES[:, :999], {}, "frames have 999 samples, not 1000"),
        (FRAMES, {"delimiter": "comma"}, "is no number|delimiter comma"),
        (FRAMES + 0.5, {}, "frame 1, sample 1 is .*whole numbers"),
        (FRAMES, {"header_rows": 12}, "holds no line below its 12 header rows"),
    ],
)
def test_another_layout_is_told(tmp_path, table, changes, told) -> None:
    path = write(tmp_path / "a.txt", table)
    with pytest.raises(SourceFileError, match=told):
        read_frames(path, layout(**changes))


def test_a_lost_frame_is_lost_for_all_probes() -> None:
    first, second = FRAMES.astype(float), FRAMES[:-1].astype(float)
    first[3] = np.nan
    lost = lost_frames([first, second])
    assert lost.tolist() == [k == 3 for k in range(11)]
    echo, cut = joined_probes([first, second], "x")
    assert echo.shape == (11, 2, 1000)
    assert (echo.dtype, cut) == (np.int16, 1)
    assert np.array_equal(echo[4:, 1], FRAMES[4:-1])


def test_counts_are_kept_whole_or_refused() -> None:
    wide = FRAMES * 1000.0
    echo, _ = joined_probes([wide], "x")
    assert echo.dtype == np.int32
    assert np.array_equal(echo[:, 0], wide)
    with pytest.raises(SourceFileError, match="fit no 32-bit"):
        joined_probes([FRAMES * 1e8], "x")


def test_copies_and_means_of_neighbours_are_seen() -> None:
    frames = FRAMES[:, None].copy()
    assert not suspicious(frames).any()
    frames[4] = frames[3]
    frames[8] = (frames[7] + frames[9]) // 2
    assert np.flatnonzero(suspicious(frames)).tolist() == [4, 8]


@settings(max_examples=60)
@given(
    text=st.text(
        alphabet=st.sampled_from("0123456789-.,;\t \nNaNe"), min_size=1, max_size=300
    ),
    frames=st.sampled_from(["rows", "columns"]),
    delimiter=st.sampled_from(["tab", "comma", "semicolon", "space"]),
)
def test_any_text_is_frames_or_a_clear_error(
    text, frames, delimiter, tmp_path_factory
) -> None:
    path = tmp_path_factory.mktemp("any") / "a.txt"
    path.write_text(text, newline="")
    declared = layout(frames=frames, delimiter=delimiter, samples=3)
    try:
        found = read_frames(path, declared)
    except SourceFileError as error:
        assert "a.txt" in str(error)  # noqa: PT017
    else:
        assert found.shape[1] == 3
