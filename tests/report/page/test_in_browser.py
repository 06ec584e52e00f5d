"""The page in a real browser, opened from disk: it draws, clicks choose, names stay text."""

import base64
import gzip
import io
import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image
from projected import make_scene

from dad_sfm import database, reconstruction
from dad_sfm.io.colmap_text import write_text_model
from dad_sfm.report import build_report
from dad_sfm.report.page import write_page

playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright")

CHROMIUM = os.environ.get("DAD_SFM_CHROMIUM") or shutil.which("chromium")
HOSTILE = "<img src=x onerror=alert(1)>.png"
NAMES = ["b.png", "c.png", "d.png", HOSTILE]  # sorted, the hostile one comes first
ARGUMENTS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader",
             "--disable-background-networking", "--disable-component-update"]  # fmt: skip

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (chromium on the PATH)")


@pytest.fixture(scope="module")
def report_page(tmp_path_factory):
    root = tmp_path_factory.mktemp("scene")
    scene = make_scene(root, [NAMES])
    path = database.main(root / "database.db", **scene.inputs)
    reconstruction.main(root / "sparse", path, scene.image_dir, num_threads=1)
    named = [image for name, image in scene.gt.images.items() if name != HOSTILE]
    gt = write_text_model(root / "gt", scene.gt.cameras, named)
    report = build_report(root, scene="</title><b>x", image_dir=scene.image_dir, gt=gt)
    return write_page(report, root, gt)


@pytest.fixture(scope="module")
def tab(report_page):
    """The page when it has drawn, with everything that it asked for and complained of."""
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        tab = browser.new_page(viewport={"width": 820, "height": 560})
        tab.complaints, tab.requests = [], []
        tab.on("console", lambda message: tab.complaints.append(message.text))
        tab.on("pageerror", lambda error: tab.complaints.append(str(error)))
        tab.on("dialog", lambda dialog: tab.complaints.append(dialog.message))
        tab.on("request", lambda request: tab.requests.append(request.url))
        tab.goto(report_page.as_uri(), wait_until="commit")
        tab.wait_for_selector("body[data-ready]", timeout=120_000)
        yield tab
        browser.close()


def colours(tab, selector):
    """Distinct colours of an element's screenshot, and how many pixels have the commonest."""
    picture = Image.open(io.BytesIO(tab.locator(selector).screenshot()))
    found = picture.convert("RGB").getcolors(1 << 24)
    return len(found), max(n for n, _ in found) / (picture.width * picture.height)


def test_it_opens_from_disk_without_a_complaint(tab, report_page):
    outside = [url for url in tab.requests if not url.startswith(("data:", "blob:"))]
    assert outside == [report_page.as_uri()]
    assert tab.complaints == []


def test_names_stay_text(tab):
    assert tab.title() == "</title><b>x – dad_sfm"
    assert tab.locator("img").count() == 0
    assert HOSTILE in tab.locator("#photo select").inner_text()
    assert HOSTILE in tab.locator("#images + .scroll").inner_text()


def test_the_canvases_draw(tab):
    distinct, commonest = colours(tab, "#world canvas")
    assert distinct > 8  # ground, points, antialiased cameras
    assert commonest < 0.999
    picture = Image.open(io.BytesIO(tab.locator("#world canvas").screenshot())).convert("RGB")
    assert picture.getpixel((20, 20)) == (0x12, 0x15, 0x1B)
    pixels = np.asarray(picture, int).reshape(-1, 3)
    near = np.abs(pixels - (120, 170, 255)).max(axis=1)  # the colour of cameras
    assert near.min() <= 10  # as it was given, not brightened
    assert colours(tab, "#photo canvas")[0] > 20  # keypoints on a blank photo
    assert colours(tab, "#pairs canvas")[0] > 50  # lines of many hues


def drawn_at(report_page, image, width, height):
    """Where on a canvas a camera is drawn at first: the middle of its pyramid, projected."""
    text = report_page.read_text(encoding="utf-8").split('id="index">')[1].split("<")[0]
    index = json.loads(gzip.decompress(base64.b64decode(text)))
    view, drawn = index["view"], index["images"][image]["pose"]
    eye = np.array(view["eye"])
    ahead = np.array(view["target"]) - eye
    ahead /= np.linalg.norm(ahead)
    right = np.cross(ahead, view["up"])
    right /= np.linalg.norm(right)
    axis = np.array(drawn["rotation"][6:])
    middle = np.array(drawn["center"]) + 0.5 * view["camera_size"] * axis - eye
    focal = height / 2 / np.tan(np.radians(25))
    at = focal * np.array([right @ middle, -np.cross(right, ahead) @ middle]) / (ahead @ middle)
    return at + [width / 2, height / 2]


def test_a_click_on_a_camera_shows_its_photo(tab, report_page):
    canvas = tab.locator("#world canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    for image in (2, 1):
        x, y = drawn_at(report_page, image, box["width"], box["height"])
        assert 0 < x < box["width"]
        assert 0 < y < box["height"]
        canvas.click(position={"x": x, "y": y})
        assert tab.get_attribute("body", "data-selected") == str(image)
        assert tab.locator("#photo select").input_value() == str(image)
    assert "3D points" in tab.locator("#photo .facts").inner_text()


def test_a_click_in_the_matrix_shows_the_pair(tab):
    canvas = tab.locator("#matrix canvas")
    box = canvas.bounding_box()
    side = min(box["width"], box["height"]) / len(NAMES)
    facts = tab.locator("#pairs .facts")
    for a, b in ((1, 2), (0, 3)):
        canvas.click(position={"x": (a + 0.5) * side, "y": (b + 0.5) * side})
        names = sorted(NAMES)
        assert facts.inner_text().startswith(f"{names[a]} – {names[b]}:")


def test_fewer_lines_can_be_drawn(tab):
    picture, slider = tab.locator("#pairs canvas"), tab.locator("#pairs input[type=range]")
    before = picture.screenshot()
    slider.fill("0")
    without = picture.screenshot()
    assert without != before
    slider.fill("1000")
    assert picture.screenshot() not in (before, without)


def test_colours_of_points_can_be_chosen(tab):
    before = tab.locator("#world canvas").screenshot()
    tab.locator("#world select").select_option("error")
    assert "px, dark to light" in tab.locator("#world small").inner_text()
    assert tab.locator("#world canvas").screenshot() != before


@pytest.mark.slow
def test_a_phone_and_the_dark(tab):
    """Nothing is wider than the screen, and the ground is dark where that is asked for."""
    tab.emulate_media(color_scheme="dark")
    tab.set_viewport_size({"width": 390, "height": 800})
    widest = tab.evaluate("() => document.documentElement.scrollWidth")
    assert widest <= 390
    ground = tab.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert ground == "rgb(20, 23, 29)"
    tab.emulate_media(color_scheme="light", media="print")
    assert tab.locator("#world .tools").is_hidden()
