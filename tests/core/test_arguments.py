"""Types of command-line arguments."""

import argparse

import pytest

from dad_sfm.core.arguments import count, whole


@pytest.mark.parametrize("text", ["1", "2048"])
def test_a_count_is_a_whole_number(text):
    assert count(text) == int(text)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", ""])
def test_what_is_no_count_is_refused_with_its_text(text):
    with pytest.raises(argparse.ArgumentTypeError, match=f"^{text} is not a whole number"):
        count(text)


def test_a_whole_number_may_be_zero():
    assert [whole(text) for text in ("0", "7")] == [0, 7]
    with pytest.raises(argparse.ArgumentTypeError, match=r"^-1 is not a whole number"):
        whole("-1")
