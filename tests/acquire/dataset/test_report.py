"""The report: one page, self-contained, honest about what it shows."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from acquire.dataset.report import write_report
from acquire.storage.manifest import read_manifest
from tests.acquire.dataset.test_truth import write_truth
from tests.builders.dataset import archive, dataset, key, small, verdict


class Page(HTMLParser):
    """Collects images, links to elsewhere and unclosed tags."""

    VOID = frozenset({"meta", "img", "br", "link", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.images: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.links += [v for k, v in attrs if k in ("src", "href") and v]
        if tag == "img":
            self.images.append(found.get("alt") or "")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = dataset(tmp_path_factory.mktemp("report") / "K2")
    recorded = small(lost_us=slice(60, 63))
    archive(root, key(), recorded)
    verdict(root, key(), accepted=True)
    write_truth(root / "truth.jsonl", recorded, slice(60, 63))
    return root


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    path = write_report(root, "P43", truth=root / "truth.jsonl")
    assert path == root / "reports" / "P43.html"
    return path.read_text(encoding="utf-8")


def test_the_page_is_whole_and_needs_nothing_else(text: str) -> None:
    page = Page(text)
    assert page.open == []
    assert len(page.images) == 4 + 2 + 1  # one take, its kind, the session
    assert all(words for words in page.images)
    assert all(link.startswith(("data:", "#")) for link in page.links)
    assert "http" not in re.sub(r"data:[^\"]+", "", text)


def test_simulated_is_said_aloud(text: str) -> None:
    assert "SIMULATED" in text


def test_clocks_losses_and_verdicts_are_there(text: str) -> None:
    assert "accepted" in text
    assert "3 lost (counted)" in text
    for stream in ("vicon-markers", "vicon-forces", "semg", "amode"):
        assert f"<td>{stream}</td>" in text


def test_only_the_truths_section_needs_the_truth(root: Path, text: str) -> None:
    assert "Against the truth" in text
    gone = write_report(root, "P43", truth=root / "deleted.jsonl").read_text()
    start, end = (text.index(s) for s in ("Against the truth", '<section class="kind"'))
    start = text.rindex("<section>", 0, start)
    assert "Against the truth" not in gone
    assert (text[:start] + text[end:]).split() == gone.split()
    assert "reports/P43.html" in read_manifest(root)


def test_a_trial_without_strides_still_has_a_section(tmp_path: Path) -> None:
    root = dataset(tmp_path / "K2")
    archive(root, key(), small(trigger=False))
    (root / "participants.tsv").unlink()
    shown = write_report(root, "P43").read_text()
    assert "not judged" in shown
    assert "no rise of the line" in shown


def test_nothing_to_report_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no archived trial of P43"):
        write_report(tmp_path, "P43")
