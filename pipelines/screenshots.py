"""The pictures of the documentation: the report, the viewer and figures of the rendered courtyard.

    python pipelines/screenshots.py                       # into docs/images
    python pipelines/screenshots.py --out OUT --to FOLDER # of another reconstruction, to look at

Needs Chromium (``chromium`` on the PATH, or ``DAD_SFM_CHROMIUM``), and the extras dev and view.
"""

import argparse
import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from dad_sfm.colmap.model import read_model
from dad_sfm.colmap.view_graph import read_view_graph
from dad_sfm.io.images import read_image
from dad_sfm.io.output import Output
from dad_sfm.pipeline import reconstruct
from dad_sfm.report.drawing import draw_matches
from dad_sfm.report.originals import photo_path
from dad_sfm.report.pair import read_pair
from dad_sfm.viewer.serve import Viewer

ARGUMENTS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
WIDTH = 1200  # px of the window
# Section of the page -> the first one that is not shown any more; what a page lacks is left out.
SECTIONS = {
    "report": (None, "matches"),
    "missing": ("missing", "look"),
    "pairs": ("matches", "numbers"),
    "numbers": ("numbers", "truth"),
}


def main() -> None:
    options = _options()
    if options.out is None:
        options.out = Path("outputs/courtyard")
        reconstruct("courtyard", options.out)
    options.to.mkdir(parents=True, exist_ok=True)
    files = Output(options.out)
    with _browser() as browser:
        for name, picture in _of_the_page(browser, files.page):
            _save(picture, options.to / f"{name}.webp")
        if files.models():
            _save(_of_the_viewer(browser, options.out), options.to / "viewer.webp")
            _save(_of_a_pair(files), options.to / "matches.webp")


@contextmanager
def _browser() -> Iterator[Any]:
    path = os.environ.get("DAD_SFM_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()


def _of_the_page(browser: Any, page: Path) -> Iterator[tuple[str, Image.Image]]:
    tab = browser.new_page(viewport={"width": WIDTH, "height": 800})
    tab.goto(page.resolve().as_uri(), wait_until="commit")
    tab.wait_for_selector("body[data-ready]", timeout=120_000)
    whole = _picture(tab.screenshot(full_page=True))
    for name, (first, behind) in SECTIONS.items():
        top, bottom = _top(tab, first), _top(tab, behind)
        if top is not None and bottom is not None and bottom > top:
            yield name, whole.crop((0, top, WIDTH, bottom))
    tab.close()


def _top(tab: Any, section: str | None) -> int | None:
    """Where a section begins, px; None where the page has none."""
    if section is None:
        return 0
    found = tab.locator(f"h2#{section}")
    return max(0, int(found.bounding_box()["y"]) - 8) if found.count() else None


def _of_the_viewer(browser: Any, out: Path) -> Image.Image:
    viewer = Viewer(out, port=0)
    try:
        tab = browser.new_page(viewport={"width": WIDTH, "height": 700})
        tab.goto(viewer.address)
        tab.wait_for_selector("canvas", timeout=60_000)
        viewer.update()
        viewer.choose(min(read_model(Output(out).models()[0]).images))
        tab.wait_for_timeout(5_000)  # models and photos come over a socket
        for notice in tab.locator(".mantine-Notification-closeButton").all():
            notice.click()  # of the lack of a GPU
        tab.wait_for_timeout(2_000)
        return _picture(tab.screenshot())
    finally:
        viewer.stop()


def _of_a_pair(files: Output) -> Image.Image:
    """A pair at the upper quartile of inliers: many, but not of two nearly equal views."""
    inliers = read_view_graph(files.database).inliers
    names = sorted(inliers, key=lambda pair: inliers[pair])[len(inliers) * 3 // 4]
    found = read_pair(files, *names)
    photos = [read_image(photo_path(files, name)) for name in names]
    return draw_matches(
        *photos, found.points0_px, found.points1_px, inliers=found.inliers, resize_max=450
    )


def _picture(png: bytes) -> Image.Image:
    return Image.open(io.BytesIO(png)).convert("RGB")


def _save(picture: Image.Image, path: Path) -> None:
    picture.save(path, quality=72, method=6)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, help="output folder; default: the courtyard is made")
    parser.add_argument("--to", type=Path, default=Path("docs/images"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
