"""The page of commands says what the parsers say."""

import argparse

import pytest

pytest.importorskip("sphinx")

from command_reference import _meaning, _options, _spelling, _sub_parsers


@pytest.fixture
def parser():
    made = argparse.ArgumentParser("tool")
    made.add_argument("scene", help="folder")
    made.add_argument("--size", type=int, nargs=2, default=(3, 4), metavar=("W", "H"), help="of it")
    made.add_argument("--out", "-o", default="x", help="where to (default: beside it)")
    made.add_argument("--secret", help=argparse.SUPPRESS)
    made.add_argument("--fast", action="store_true", help="100%% faster")
    return made


def test_options_are_spelled_as_typed(parser):
    spelled = {action.dest: _spelling(parser, action) for action in parser._actions}
    assert spelled["scene"] == "scene"
    assert spelled["size"] == "--size W H"
    assert spelled["out"] == "--out, -o OUT"
    assert spelled["fast"] == "--fast"


def test_defaults_are_said_once(parser):
    meanings = {a.dest: _meaning(parser, a) for a in parser._actions if a.dest != "secret"}
    assert meanings["size"] == "Of it (default: 3 4)"
    assert meanings["out"] == "Where to (default: beside it)"
    assert meanings["fast"] == "100% faster"


def test_help_and_suppressed_options_are_left_out(parser):
    text = " ".join(n.astext() for g in parser._action_groups for n in _options(parser, g))
    assert "--size" in text
    assert "--secret" not in text
    assert "--help" not in text


def test_sub_commands_without_their_aliases():
    made = argparse.ArgumentParser("tool")
    commands = made.add_subparsers()
    commands.add_parser("train", aliases=["t"], help="x")
    commands.add_parser("test", help="y")
    assert [name for name, _ in _sub_parsers(made)] == ["train", "test"]
