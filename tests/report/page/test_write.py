from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from projected import make_scene

from dad_sfm import database, reconstruction
from dad_sfm.report import Failure, build_report
from dad_sfm.report.page import write_page
from dad_sfm.report.page.top_view import top_view
from dad_sfm.report.unregistered import REMEDIES

NAMES = ["<a> & b.png", "c.png", "d.png", "e.png"]


class Page(HTMLParser):
    """Tags in order, open ones, and all texts of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    scene = make_scene(tmp_path_factory.mktemp("scene"), [NAMES])
    path = database.main(scene.root / "database.db", **scene.inputs)
    reconstruction.main(scene.root / "sparse", path, scene.image_dir, num_threads=1)
    return scene


def test_the_page_holds_everything_itself(scene):
    seconds = {"database": 1.0, "reconstruction": 3.0, "total": 4.0}
    report = build_report(scene.root, scene="<house>", image_dir=scene.image_dir, seconds=seconds)
    path = write_page(report, scene.root)
    assert path == scene.root / "report.html"
    page = Page(path.read_text(encoding="utf-8"))
    assert page.open == []
    assert not {"link", "iframe", "img"} & {tag for tag, _ in page.tags}
    assert not [attrs for _, attrs in page.tags if {"src", "href"} & attrs.keys()]
    (policy,) = [a["content"] for _, a in page.tags if a.get("http-equiv")]
    assert "default-src 'none'" in policy
    for part in ("<house>", "<a> & b.png", "4 of 4", "reconstruction 3.0 s"):
        assert part in page.text
    assert sum(tag == "polygon" for tag, _ in page.tags) == len(NAMES)  # from above


def test_the_page_says_why_an_image_is_missing_and_what_helps(scene):
    report = build_report(scene.root, scene="house", image_dir=scene.image_dir)
    missing = replace(
        report.images[1], model=None, unregistered="no_pairs", explanation="it has no pair"
    )
    images = [report.images[0], missing, replace(missing, name="e.png")]
    report = replace(report, images=images, failed_images={"f.png": "cut off"})
    page = Page(write_page(report, scene.root).read_text(encoding="utf-8"))
    assert "it has no pair" in page.text
    assert REMEDIES["no_pairs"] in page.text
    assert "Not registered: 3" in page.text
    assert "1 of 4" in page.text
    assert page.text.count("--pairs exhaustive") == 1  # said once, not for every image
    assert page.text.count("the same") == 1
    assert next(a for tag, a in page.tags if tag == "table") == {"class": "stacks"}


def test_a_failed_run_has_a_page(tmp_path):
    failure = Failure("no_matches", "no matches in 3 pairs")
    report = build_report(tmp_path, scene="x", image_dir=tmp_path, failure=failure)
    page = Page(write_page(report, tmp_path).read_text(encoding="utf-8"))
    assert page.open == []
    assert "no reconstruction: no matches in 3 pairs" in page.text
    assert not [tag for tag, _ in page.tags if tag in ("svg", "script", "table")]


def test_view_from_above(scene):
    """Cameras on an arc in front of a wall: in the drawing they are below it, left to right."""
    wall = np.random.default_rng(0).uniform([-1, -1, 0], [1, 1, 0.2], (500, 3))
    drawing = Page(top_view(scene.gt, wall, np.full((500, 3), 200)))
    dots = np.array([[float(a["cx"]), float(a["cy"])] for t, a in drawing.tags if t == "circle"])
    marks = np.array(
        [[float(v) for v in a["points"].replace(",", " ").split()] for t, a in drawing.tags
         if t == "polygon"]
    )  # fmt: skip
    assert len(dots) > 400
    assert len(marks) == len(NAMES)
    assert marks[:, 1].min() > dots[:, 1].max()
    centers = {n: i.center[0] for n, i in scene.gt.images.items()}
    order = np.argsort([centers[n] for n in scene.gt.images])
    assert (np.diff(marks[order, 0]) > 0).all()
    assert (marks[:, 3] < marks[:, 1]).all()  # they open towards the wall
