import json

from dad_sfm import cli
from dad_sfm.diagnosis.installation import conflicts, unmet
from dad_sfm.diagnosis.surroundings import disk, weights


def test_the_self_test_runs(capsys, monkeypatch):
    monkeypatch.delenv("DAD_SFM_WEIGHTS", raising=False)
    cli.main(["doctor", "--json", "--device", "cpu"])
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    levels = {finding["topic"]: finding["level"] for finding in found}
    assert levels["self-test"] == "ok"
    assert levels["versions"] == levels["pycolmap"] == "ok"


def test_a_problem_is_in_the_exit_code(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("DAD_SFM_WEIGHTS", str(tmp_path / "nowhere"))
    assert cli.main(["doctor", "--no-self-test"]) == 1
    assert "no such folder" in capsys.readouterr().out


def test_what_is_too_old_or_missing():
    requirements = ["torch>=2.4", "numpy>=1.26", "kornia>=0.9; python_version >= \"3.0\"",
                    "old>=1; python_version < \"3.0\"", "av>=12; extra == \"video\""]  # fmt: skip
    found = {f.topic: f.text for f in unmet(requirements, {"torch": "2.13.0+cpu", "numpy": "1.9"})}
    assert found == {"numpy": "1.9 is too old", "kornia": "not installed"}


def test_known_bad_pairs():
    good = {"torch": "2.4.1", "torchvision": "0.19.0", "kornia": "0.9.1", "pycolmap": "4.0"}
    assert list(conflicts(good)) == []
    bad = {**good, "torchvision": "0.20.0", "pycolmap-cuda12": "4.0", "kornia": "0.8.2"}
    found = {f.topic: f for f in conflicts(bad)}
    assert found["torchvision"].remedy == "pip install 'torchvision==0.19.*', or uninstall it"
    assert "pycolmap and pycolmap-cuda12" in found["pycolmap"].text
    assert found["kornia"].level == "note"


def test_checkpoints_and_disk(monkeypatch, tmp_path):
    (tmp_path / "aliked-n16.pth").touch()
    monkeypatch.setenv("DAD_SFM_WEIGHTS", str(tmp_path))
    assert "aliked-n16.pth" in list(weights())[-1].text
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("", (), {"free": 1 << 20})())
    (finding,) = disk(tmp_path)
    assert finding.level == "problem"
