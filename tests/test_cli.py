"""Every option must reach the step that it is for."""

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from dad_sfm import cli, database, extract_features, reconstruction
from dad_sfm.core.config import ConfigError
from dad_sfm.io.store import FeatureReader
from dad_sfm.models.checkpoints import sha256_of
from dad_sfm.pipeline import GivenFiles, ReconstructionConf
from dad_sfm.report import Report


@pytest.fixture
def image_dir(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.new("RGB", (64, 48), (90, 90, 90)).save(folder / "a b.png")
    return folder


def test_extract_passes_everything_on(monkeypatch, tmp_path, image_dir):
    seen = {}

    def step(conf, image_dir, export_dir=None, **rest):
        seen.update(conf=conf, image_dir=image_dir, export_dir=export_dir, **rest)
        return real(extract_features.confs["sift"], image_dir, feature_path=tmp_path / "f.h5")

    real = extract_features.main
    monkeypatch.setattr(extract_features, "main", step)
    line = (
        f"extract {image_dir.as_posix()} --conf dad-nano --export-dir out --feature-path f.h5 "
        "--image-list names.txt --resize 640 --max-keypoints 99 --weights w.pth --batch-size 4 "
        "--no-as-half --overwrite --device cpu --workers 0"
    )
    assert cli.main(line.split()) == 0
    assert seen["conf"]["model"] == {"name": "dad-nano", "max_keypoints": 99, "weights": "w.pth"}
    assert seen["conf"]["preprocessing"]["resize_max"] == 640
    assert seen == {
        "conf": seen["conf"],
        "image_dir": image_dir,
        "export_dir": None,
        "feature_path": Path("f.h5"),
        "image_list": Path("names.txt"),
        "as_half": False,
        "overwrite": True,
        "device": "cpu",
        "workers": 0,
        "batch_size": 4,
    }
    assert extract_features.confs["dad-nano"]["model"].get("weights") is None


def test_reconstruct_passes_everything_on(monkeypatch, image_dir, capsys):
    seen = {}

    def pipeline(scene, out, conf, **rest):
        seen.update(scene=scene, out=out, conf=conf, **rest)
        return Report(
            "s", "i", "failed", None, {}, {}, {}, {}, [], {"x.jpg": "bad"}, {}, None, [], [], [],
            None,
        )  # fmt: skip

    monkeypatch.setattr("dad_sfm.pipeline.reconstruct", pipeline)
    line = (
        f"reconstruct {image_dir.as_posix()} --out o --features sift --matcher NN-ratio "
        "--pairs sequential --resize 800 --max-keypoints 77 --camera-mode single "
        "--camera-model PINHOLE --seed 3 --threads 1 --overwrite --device cpu --workers 2 "
        "--engine ray --set verification.min_inliers=9"
    )
    expected = ReconstructionConf.make(
        features="sift", matcher="NN-ratio", pairing="sequential", seed=3
    ).changed(
        {
            "features.model.max_keypoints": 77,
            "features.preprocessing.resize_max": 800,
            "cameras.mode": "single",
            "cameras.model": "PINHOLE",
            "verification.min_inliers": 9,
        }
    )
    # One image could not be used, and the exit code says so.
    assert cli.main(line.split()) == cli.SOME_LEFT_OUT
    assert seen == {
        "scene": image_dir.as_posix(),
        "out": Path("o"),
        "conf": expected,
        "image_list": None,
        "given": GivenFiles(),
        "images": "link",
        "num_threads": 1,
        "colmap_hours": 48.0,
        "overwrite": True,
        "device": "cpu",
        "workers": 2,
        "engine": "ray",
    }


def test_flags_override_the_configuration_file(monkeypatch, tmp_path, image_dir):
    def pipeline(scene, out, conf, **rest):
        raise ConfigError(f"{conf.features.output} {conf.seed} {conf.matcher.output}")

    monkeypatch.setattr("dad_sfm.pipeline.reconstruct", pipeline)
    path = tmp_path / "c.yaml"
    path.write_text("features: sift\nmatcher: NN-ratio\nseed: 5")
    line = f"reconstruct {image_dir} --config {path} --features aliked-n16 --seed 7"
    with pytest.raises(ConfigError, match=r"feats-aliked-n16 7 matches-NN-mutual-ratio.8"):
        cli.main(["--debug", *line.split()])


def test_database_and_map_pass_everything_on(monkeypatch):
    seen = {}

    def step(*paths, **rest):
        seen.update(paths=paths, **rest)
        return []

    monkeypatch.setattr(database, "main", step)
    line = (
        "database d.db photos --feature-file f.h5 --pairs-file p.txt --match-file m.h5 "
        "--camera-mode single --camera-model SIMPLE_PINHOLE --camera-params 900,400,300.5 "
        "--set max_error_px=4 --seed 2 --threads 3 "
        "--overwrite"
    )
    assert cli.main(line.split()) == 0
    assert seen == {
        "paths": tuple(map(Path, ("d.db", "photos", "f.h5", "p.txt", "m.h5"))),
        "camera_mode": "single",
        "camera_model": "SIMPLE_PINHOLE",
        "camera_params": (900.0, 400.0, 300.5),
        "cameras": None,
        "rigs": None,
        "verification": {"max_error_px": 4},
        "seed": 2,
        "num_threads": 3,
        "overwrite": True,
    }
    seen.clear()
    monkeypatch.setattr(reconstruction, "main", step)
    line = (
        "map sparse d.db photos --mapper hierarchical --no-refine-principal-point "
        "--start a/0 b/0 --set min_model_size=10 --seed 2 --threads 3 --overwrite"
    )
    assert cli.main(line.split()) == 0
    assert seen == {
        "paths": tuple(map(Path, ("sparse", "d.db", "photos"))),
        "mapper": "hierarchical",
        "start": [Path("a/0"), Path("b/0")],
        "fixed_cameras": False,
        "options": {"min_model_size": 10},
        "refine_principal_point": False,
        "seed": 2,
        "num_threads": 3,
        "overwrite": True,
    }


@pytest.mark.parametrize("command", sorted(cli.COMMANDS))
def test_the_help_of_every_command_fits_a_screen(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "120")
    with pytest.raises(SystemExit):
        cli.main([command, "--help"])
    assert len(capsys.readouterr().out.splitlines()) <= 50


def test_extract_pairs_match_run_one_after_the_other(tmp_path, image_dir, capsys):
    Image.effect_noise((96, 80), 80).convert("RGB").save(image_dir / "b.png")
    out = tmp_path / "out"
    extract = f"extract {image_dir} --features sift --export-dir {out}".split()
    assert cli.main(extract) == 0
    features = out / "feats-sift.h5"
    assert cli.main(f"pairs {out}/pairs.txt --feature-file {features}".split()) == 0
    assert cli.main(f"match {out}/pairs.txt {features} --matcher NN-ratio".split()) == 0
    printed = capsys.readouterr().out.split()
    assert all(Path(p).is_file() for p in printed)
    picture = out / "k.png"
    draw = ["visualize", str(image_dir / "b.png"), str(picture)]
    assert cli.main([*draw, "--features", "sift"]) == 0
    assert Image.open(picture).size == (96, 80)
    drawn = [*draw, "--feature-file", str(features)]
    assert cli.main(drawn) == 0
    assert cli.main([*drawn, "--set", "nms_size=9"]) == cli.USER_ERROR


def test_any_option_of_a_detector_can_be_set(tmp_path, image_dir):
    light = Path(extract_features.__file__).parent / "weights" / "dad_nano_light.safetensors"
    command = f"extract {image_dir} --conf dad-nano --set nms_size=15 subpixel=false"
    path = tmp_path / "f.h5"
    options = ["--weights", str(light), "--max-keypoints", "9", "--feature-path", str(path)]
    assert cli.main([*command.split(), *options, "--device", "cpu"]) in (0, cli.SOME_LEFT_OUT)
    with FeatureReader(path) as reader:
        made_by = reader.provenance
    assert made_by["detector"]["nms_size"] == 15
    assert made_by["detector"]["max_keypoints"] == 9
    assert made_by["identity"]["detector"]["weights"] == sha256_of(light)
    assert cli.main(["extract", str(image_dir), "--set", "nms=15"]) == cli.USER_ERROR


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["extract", "nowhere", "--export-dir", "o"], "no such image folder"),
        (["extract", ".", "--conf", "dada", "--export-dir", "o"], "unknown feature preset 'dada'"),
        (["reconstruct", "nowhere"], "no scene 'nowhere'"),
        (["pairs", "p.txt", "--feature-file", "none.h5"], "none.h5"),
    ],
)
def test_mistakes_are_one_line(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments) == cli.USER_ERROR
    error = capsys.readouterr().err.strip()
    assert message in error
    assert len(error.splitlines()) == 1


def test_help_of_every_command_needs_no_torch_unless_it_names_its_options():
    for name in set(cli.COMMANDS) - {"train"}:
        code = (
            f"import sys; from dad_sfm.cli import main\ntry: main(['{name}', '--help'])\n"
            "except SystemExit: pass\nassert 'torch' not in sys.modules"
        )
        subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_train_help_is_enough_to_use_it(capsys):
    with pytest.raises(SystemExit):
        cli.main(["train", "rl", "--help"])
    text = capsys.readouterr().out
    for word in ("--photos", "--run", "--preset", "log.jsonl", "weights.safetensors", "resumes"):
        assert word in text


@pytest.mark.parametrize(("preset", "warned"), [("dad-nano", True), ("sift", False)])
def test_extract_warns_of_what_hangs_hloc(tmp_path, caplog, preset, warned):
    folder = tmp_path / "noise"
    folder.mkdir()
    Image.effect_noise((160, 120), 90).convert("RGB").save(folder / "a.png")
    line = ["extract", str(folder), "--features", preset, "--export-dir", str(tmp_path)]
    assert cli.main(line) == 0
    assert ("without descriptors: hloc" in caplog.text) == warned


def test_a_video_is_a_scene(tmp_path, monkeypatch):
    from dad_sfm.io import video_frames

    seen = []

    def run(scene, out, conf, **rest):
        seen.extend([scene, out])
        raise ConfigError("seen")

    (tmp_path / "walk.mp4").write_bytes(b"frames")
    monkeypatch.setattr("dad_sfm.pipeline.reconstruct", run)
    monkeypatch.setattr(video_frames, "extract_frames", lambda video, folder: folder)
    assert cli.main(["reconstruct", str(tmp_path / "walk.mp4")]) == 1
    frames, out = seen
    assert out.name.startswith("walk-")
    assert frames == out.with_name(f"{out.name}.frames")
