"""Which files of a folder are its photos, and what is said of the rest."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from dad_sfm.io.listing import find_images, list_images, natural_order, resolve_list, select_images
from dad_sfm.io.text_lists import ListError


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def test_listing_is_sorted_relative_and_leaves_out_what_is_hidden(tmp_path: Path) -> None:
    seen = ["Grüße 1.jpeg", "a/10.png", "a/2.PNG", "b.jpg"]
    touch(*(tmp_path / name for name in (*reversed(seen), ".c.jpg", ".thumbs/1.jpg", "n.txt")))
    assert list_images(tmp_path) == seen


def test_what_pillow_reads_is_listed_and_the_rest_is_counted(tmp_path: Path) -> None:
    photos = ["a.jpg", "b.JPE", "c.jfif", "d.webp", "e.avif", "f.JP2", "g.tga", "h.pbm"]
    others = ["a.cr2", "b.mp4", "c.MP4", "d.h5", "e.ico", "f.txt", "g", "h.txt", "i.svg"]
    touch(*(tmp_path / name for name in photos + others))
    listing = find_images(tmp_path)
    assert listing.names == photos
    assert listing.ignored == {
        ".MP4": 1, ".cr2": 1, ".h5": 1, ".ico": 1, ".mp4": 1, ".svg": 1, ".txt": 2, "no suffix": 1,
    }  # fmt: skip
    assert ".txt 2" in listing.ignored_text()


def test_every_listed_suffix_can_be_decoded(tmp_path: Path) -> None:
    """A format is listed only if this Pillow opens files of it."""
    for suffix, form in ((".jpe", "JPEG"), (".jfif", "JPEG"), (".jif", "JPEG"), (".apng", "PNG")):
        Image.new("RGB", (4, 3)).save(tmp_path / f"a{suffix}", format=form)
    assert len(list_images(tmp_path)) == 4


def test_linked_folders_are_entered_and_loops_are_not(tmp_path: Path) -> None:
    touch(tmp_path / "elsewhere" / "cam0" / "1.jpg", tmp_path / "photos" / "2.jpg")
    (tmp_path / "photos" / "cam0").symlink_to("../elsewhere/cam0", target_is_directory=True)
    (tmp_path / "photos" / "again").symlink_to("../elsewhere/cam0", target_is_directory=True)
    (tmp_path / "photos" / "loop").symlink_to(".", target_is_directory=True)
    (tmp_path / "elsewhere" / "cam0" / "up").symlink_to("../../photos", target_is_directory=True)
    (tmp_path / "photos" / "broken").symlink_to("nowhere")
    assert list_images(tmp_path / "photos") == ["2.jpg", "again/1.jpg", "cam0/1.jpg"]
    (tmp_path / "linked").symlink_to("photos", target_is_directory=True)
    assert list_images(tmp_path / "linked") == ["2.jpg", "again/1.jpg", "cam0/1.jpg"]


def test_output_folders_are_no_photos(tmp_path: Path) -> None:
    touch(tmp_path / "1.jpg", tmp_path / "out" / "images" / "1.jpg", tmp_path / "b" / "2.jpg")
    (tmp_path / "out" / "report.json").write_text('{\n "format_version": 1,\n "scene": "s"}')
    (tmp_path / "b" / "report.json").write_text('{"somebody": "else"}')
    assert list_images(tmp_path) == ["1.jpg", "b/2.jpg"]


def test_names_that_cannot_be_stored_are_set_apart(tmp_path: Path) -> None:
    touch(tmp_path / "a.jpg", tmp_path / "tab\t.jpg")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.jpg")).touch()
    listing = find_images(tmp_path)
    assert listing.names == ["a.jpg"]
    assert sorted(listing.unfit) == ["caf\\udce9.jpg", "tab\t.jpg"]
    assert "UTF-8" in listing.unfit["caf\\udce9.jpg"]
    assert "tab" in listing.unfit["tab\t.jpg"]


def test_an_image_list_is_checked(tmp_path: Path) -> None:
    touch(tmp_path / "a b.jpg", tmp_path / "c.jpg")
    listing = tmp_path / "list.txt"
    listing.write_text("# mine\nc.jpg\n\na b.jpg\nc.jpg\n")
    assert resolve_list(tmp_path, listing) == ["a b.jpg", "c.jpg"]
    assert resolve_list(tmp_path, ["c.jpg"]) == ["c.jpg"]
    with pytest.raises(FileNotFoundError, match=r"1 of 2 listed images .* d.jpg"):
        resolve_list(tmp_path, ["c.jpg", "d.jpg"])
    with pytest.raises(ListError, match="absolute path"):
        resolve_list(tmp_path, [str(tmp_path / "c.jpg")])
    assert list(select_images(tmp_path, ["c.jpg"]).ignored) == []


def test_folders_without_images_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.heics").touch()
    with pytest.raises(FileNotFoundError, match=r"no images under .* \.jpg.*ignored .heics 1"):
        resolve_list(tmp_path, None)
    with pytest.raises(FileNotFoundError, match="no such image folder"):
        list_images(tmp_path / "none")


def test_natural_order_counts() -> None:
    assert sorted(["f10", "f9", "e11"], key=natural_order) == ["e11", "f9", "f10"]
