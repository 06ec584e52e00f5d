"""Every plug-in says under which terms it may be used, and docs/presets.md says the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from dad_sfm import cli
from dad_sfm.core.registry import Licence
from dad_sfm.descriptors import DESCRIPTORS
from dad_sfm.detectors import DETECTORS
from dad_sfm.execution.extractor import licences
from dad_sfm.extract_features import confs

TABLE = (Path(__file__).parents[2] / "docs" / "presets.md").read_text(encoding="utf-8")
FORBIDDEN = {"superpoint", "reinforced-feature-points", "ripe"}


@pytest.mark.parametrize("registry", [DETECTORS, DESCRIPTORS], ids=lambda r: r.kind)
def test_every_plug_in_has_one(registry) -> None:
    for name in registry.names:
        licence = registry.plugin(name).licence
        assert isinstance(licence, Licence), name
        assert licence.terms
        assert licence.commercial == (name not in FORBIDDEN)


def test_the_docs_name_every_plug_in_in_their_table() -> None:
    table = TABLE.split("## Licences")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("|")]
    for name in {*DETECTORS.names, *DESCRIPTORS.names}:
        (row,) = [r for r in rows if f"`{name}`" in r]
        assert ("not for commercial use" in row) == (name in FORBIDDEN), name


def test_presets_name_their_plug_ins_terms() -> None:
    for name, conf in confs.items():
        terms = licences(conf["model"])
        assert 1 <= len(terms) <= 2
        assert all(t.commercial for t in terms) == (conf["model"]["name"] not in FORBIDDEN), name
    assert len(licences(confs["dedode-v2+dedode-b"]["model"])) == 1  # one licence, said once


def test_the_command_line_lists_presets_and_terms(capsys: pytest.CaptureFixture) -> None:
    with pytest.raises(SystemExit) as ended:
        cli.main(["extract", "--list"])
    assert ended.value.code == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert lines.keys() == confs.keys()
    assert "NOT FOR COMMERCIAL USE" in lines["superpoint"]
    assert "NOT" not in lines["disk"]
    assert "BSD-3-Clause" in lines["aliked-n32"]


def test_an_unknown_preset_is_answered_with_all(capsys: pytest.CaptureFixture) -> None:
    assert cli.main(["extract", "photos", "--features", "superglue"]) == cli.USER_ERROR
    message = capsys.readouterr().err
    assert all(name in message for name in confs)
