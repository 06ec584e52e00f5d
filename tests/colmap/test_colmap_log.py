import logging

import pycolmap
import pytest

from dad_sfm.colmap.log import colmap_log


def test_lines_reach_the_logger_and_not_the_terminal(tmp_path, caplog, capfd):
    before = pycolmap.logging.alsologtostderr, pycolmap.logging.stderrthreshold
    with caplog.at_level(logging.DEBUG, logger="dad_sfm"), colmap_log(tmp_path):
        pycolmap.logging.info("a quiet word")
        pycolmap.logging.error("something is wrong")
    assert capfd.readouterr().err == ""
    levels = {r.getMessage().split("] ")[-1]: r.levelno for r in caplog.records}
    assert levels["a quiet word"] == logging.DEBUG
    assert levels["something is wrong"] == logging.WARNING
    assert (pycolmap.logging.alsologtostderr, pycolmap.logging.stderrthreshold) == before
    assert list(tmp_path.iterdir()) == []


def test_the_log_survives_an_error(tmp_path, caplog):
    def fail() -> None:
        with colmap_log(tmp_path):
            pycolmap.logging.info("the last word")
            raise RuntimeError("x")

    with caplog.at_level(logging.DEBUG, logger="dad_sfm"), pytest.raises(RuntimeError):
        fail()
    assert "the last word" in caplog.text
    assert list(tmp_path.iterdir()) == []
