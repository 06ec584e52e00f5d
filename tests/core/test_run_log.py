import logging

import pytest

from dad_sfm.core.run_log import run_log


@pytest.mark.parametrize("level", [logging.NOTSET, logging.INFO, logging.ERROR])
def test_the_file_has_all_and_the_terminal_what_it_had(tmp_path, caplog, level):
    package, module = logging.getLogger("dad_sfm"), logging.getLogger("dad_sfm.some.module")
    before = package.level, package.propagate, list(package.handlers)
    caplog.set_level(logging.WARNING)  # the root logger's
    package.setLevel(level)

    def speak() -> list[str]:
        caplog.clear()
        for number, name in ((10, "debug"), (20, "info"), (30, "warning"), (40, "error")):
            module.log(number, "a %s line", name)
        return caplog.messages

    try:
        usual = speak()
        with run_log(tmp_path / "log.txt"):
            assert speak() == usual
        assert speak() == usual
        with run_log(tmp_path / "log.txt"):
            module.info("a second run")
        assert (package.level, package.propagate) == (level, True)
        assert package.handlers == before[2]
    finally:
        package.setLevel(before[0])
    text = (tmp_path / "log.txt").read_text(encoding="utf-8")
    for name in ("debug", "info", "warning", "error"):
        assert text.count(f"dad_sfm.some.module: a {name} line") == 1
    assert "a second run" in text


def test_the_log_is_closed_after_an_error(tmp_path):
    handlers = list(logging.getLogger("dad_sfm").handlers)
    with pytest.raises(KeyError), run_log(tmp_path / "log.txt"):
        raise KeyError("x")
    assert logging.getLogger("dad_sfm").handlers == handlers
