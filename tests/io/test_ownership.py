"""Files that are not ours stay; results take their places only as a whole, after a success."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dad_sfm.io.output import Output
from dad_sfm.io.ownership import Claim, OutputError


def tree(root: Path) -> dict[str, str]:
    """Text of every file below, and where links lead."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root).as_posix()
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = path.read_text(encoding="utf-8")
    return found


def stage(claim: Claim, text: str, status: str = "complete") -> dict[str, str]:
    """The files of a run that said ``text``; returns their digests."""
    staged = claim.staged
    staged.pairs.write_text(text)
    staged.database.write_text(text)
    (staged.sparse / "0").mkdir(parents=True)
    (staged.sparse / "0" / "images.bin").write_text(text)
    digests = claim.digests()
    report = {"format_version": 1, "status": status, "files": digests}
    staged.report.write_text(json.dumps(report))
    staged.page.write_text(text)
    return digests


def run(root: Path, text: str, status: str = "complete") -> None:
    with Claim(root) as claim:
        claim.files.log.write_text(text)
        claim.publish(stage(claim, text, status))


def test_results_replace_those_of_an_earlier_run(tmp_path: Path) -> None:
    run(tmp_path, "first")
    (tmp_path / "features.h5").write_text("kept")
    (tmp_path / "my notes.txt").write_text("kept")
    run(tmp_path, "second")
    found = tree(tmp_path)
    assert json.loads(found.pop("report.json"))["files"].keys() == {
        "pairs.txt", "database.db", "sparse/0/images.bin",
    }  # fmt: skip
    assert found == {
        "database.db": "second",
        "features.h5": "kept",
        "log.txt": "second",
        "my notes.txt": "kept",
        "pairs.txt": "second",
        "report.html": "second",
        "sparse/0/images.bin": "second",
    }


@pytest.mark.parametrize(
    "name", ["database.db", "sparse/0/cameras.bin", "sparse/1/x", "pairs.txt", "report.json",
             "report.html", "log.txt", "sparse"]
)  # fmt: skip
def test_files_of_the_user_are_named_and_stay(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(OutputError, match=f"no report of dad_sfm claims: {name}; move them"):
        Claim(tmp_path)
    assert tree(tmp_path) == {name: "mine"}


@pytest.mark.parametrize("name", ["database.db", "sparse/0/images.bin", "pairs.txt"])
def test_a_result_that_the_user_has_changed_is_theirs(tmp_path: Path, name: str) -> None:
    run(tmp_path, "first")
    (tmp_path / name).write_text("refined by hand")
    before = tree(tmp_path)
    with pytest.raises(OutputError, match=name):
        Claim(tmp_path)
    assert tree(tmp_path) == before


def test_a_file_added_to_our_model_is_theirs(tmp_path: Path) -> None:
    run(tmp_path, "first")
    (tmp_path / "sparse" / "0" / "points.ply").write_text("exported")
    with pytest.raises(OutputError, match=r"sparse/0/points\.ply"):
        Claim(tmp_path)


def test_a_failed_run_leaves_an_earlier_success(tmp_path: Path) -> None:
    run(tmp_path, "first")
    before = tree(tmp_path)
    with Claim(tmp_path) as claim:
        assert claim.has_success
        stage(claim, "failed", status="failed")
        claim.publish_failure()
    after = tree(tmp_path)
    assert after.pop("report.failed.html") == "failed"
    assert json.loads(after.pop("report.failed.json"))["status"] == "failed"
    assert after == before
    run(tmp_path, "third")  # a success removes the note of failure
    assert not list(tmp_path.glob("*.failed.*"))


def test_an_error_leaves_everything_as_it_was(tmp_path: Path) -> None:
    run(tmp_path, "first")
    before = tree(tmp_path)
    with Claim(tmp_path) as claim:
        stage(claim, "second")  # and no publishing
    assert tree(tmp_path) == before


@pytest.mark.parametrize("after", range(7))
def test_a_run_killed_while_it_publishes_can_be_repeated(
    tmp_path: Path, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every renaming: the next run knows what stands there for ours, and replaces it."""
    run(tmp_path, "first")
    claim = Claim(tmp_path)
    digests, replace, calls = stage(claim, "second"), Path.replace, []

    def dying(self: Path, target: Path) -> Path:
        if len(calls) == after:
            raise KeyboardInterrupt  # without __exit__, as a kill would
        calls.append(target)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", dying)
    with pytest.raises(KeyboardInterrupt):
        claim.publish(digests)
    monkeypatch.setattr(Path, "replace", replace)
    run(tmp_path, "third")
    assert (tmp_path / "sparse/0/images.bin").read_text() == "third"
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_a_first_run_that_was_killed_can_be_repeated(tmp_path: Path) -> None:
    claim = Claim(tmp_path)
    claim.files.log.write_text("started")
    stage(claim, "half")
    run(tmp_path, "whole")
    assert Output(tmp_path).database.read_text() == "whole"


# ------------------------------------------------------------------------ images beside the model
def test_photos_are_linked_beside_the_model(tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    (photos / "a.jpg").write_text("a")
    for _ in range(2):
        with Claim(out) as claim:
            claim.stage_images(photos, "link")
            claim.publish(stage(claim, "text"))
        assert (out / "images").is_symlink()
        assert (out / "images" / "a.jpg").read_text() == "a"
    with Claim(out) as claim:
        claim.stage_images(photos, "none")
        claim.publish(stage(claim, "text"))
    assert (out / "images").is_symlink()  # what is there stays


def test_photos_are_copied_beside_the_model(tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    (photos / "sub").mkdir(parents=True)
    (photos / "sub" / "a.jpg").write_text("a")
    for _ in range(2):
        with Claim(out) as claim:
            claim.stage_images(photos, "copy")
    assert (out / "images" / "sub" / "a.jpg").read_text() == "a"
    (photos / "sub" / "a.jpg").write_text("b")
    with Claim(out) as claim, pytest.raises(OutputError, match=r"sub/a\.jpg is not the photo"):
        claim.stage_images(photos, "copy")


def test_a_folder_of_the_users_images_stays(tmp_path: Path) -> None:
    """It may be the photos themselves, or others."""
    photos = tmp_path / "images"
    photos.mkdir()
    with Claim(tmp_path) as claim:
        claim.stage_images(photos, "link")
        claim.publish(stage(claim, "text"))
    assert photos.is_dir()
    assert not photos.is_symlink()
    other = tmp_path / "elsewhere"
    other.mkdir()
    with (
        Claim(tmp_path) as claim,
        pytest.raises(OutputError, match="is not the folder of the photos"),
    ):
        claim.stage_images(other, "link")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "images").symlink_to(other)  # a link that is not ours
    with Claim(tmp_path / "out") as claim, pytest.raises(OutputError, match="is not the folder"):
        claim.stage_images(photos, "link")
    assert (tmp_path / "out" / "images").readlink() == other


def test_a_run_that_could_not_even_write_a_report_can_be_repeated(tmp_path: Path) -> None:
    """As on a full disk: its log is there, and nothing else that says whose it is."""
    with Claim(tmp_path) as claim:  # no report, whatever is raised
        claim.files.log.write_text("began")
    run(tmp_path, "second")
    assert sorted(tree(tmp_path)) == [
        *("database.db", "log.txt", "pairs.txt", "report.html", "report.json"),
        "sparse/0/images.bin",
    ]
