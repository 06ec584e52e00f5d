"""The directive ``commands``: every sub-command of ``dad-sfm``, read from its argparse parser.

argparse has no public way to ask a parser what it takes; what is read here (`_actions`,
`_action_groups`) is what its own help is made from.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from dad_sfm.cli import make_parser
from dad_sfm.commands import COMMANDS

WIDTH = 96  # of usage lines, in characters


class Commands(SphinxDirective):
    """A section for each command, and within it one for each of its own sub-commands."""

    def run(self) -> list[nodes.Node]:
        found: list[nodes.Node] = []
        for name in COMMANDS:
            parser = dict(_sub_parsers(make_parser(name)))[name]
            found.append(self._section(parser))
        return found

    def _section(self, parser: argparse.ArgumentParser) -> nodes.section:
        section = nodes.section(ids=[nodes.make_id(parser.prog)], names=[parser.prog])
        self.state.document.note_explicit_target(section)
        section += nodes.title(text=parser.prog)
        if parser.description:
            section += nodes.paragraph(text=_sentence(parser.description))
        usage = _formatter(parser)
        usage.add_usage(parser.usage, parser._actions, parser._mutually_exclusive_groups)
        section += nodes.literal_block(text=usage.format_help().strip(), language="none")
        for group in parser._action_groups:
            section += _options(parser, group)
        if parser.epilog:
            section += nodes.literal_block(text=parser.epilog.strip(), language="none")
        for _, inner in _sub_parsers(parser):
            section += self._section(inner)
        return section


def _formatter(parser: argparse.ArgumentParser) -> argparse.HelpFormatter:
    return argparse.HelpFormatter(parser.prog, width=WIDTH)


def _sub_parsers(
    parser: argparse.ArgumentParser,
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Sub-commands by name, without their aliases."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            named = [choice.dest for choice in action._choices_actions]
            for name, inner in action.choices.items():
                if name in {text.split(" ")[0] for text in named}:
                    yield name, inner


def _options(parser: argparse.ArgumentParser, group: Any) -> list[nodes.Node]:
    """The arguments of a group and what they mean."""
    shown = [
        action
        for action in group._group_actions
        if not isinstance(action, (argparse._HelpAction, argparse._SubParsersAction))
        and action.help != argparse.SUPPRESS
    ]
    if not shown:
        return []
    items = nodes.definition_list()
    for action in shown:
        term = nodes.term("", "", nodes.literal(text=_spelling(parser, action)))
        meaning = nodes.definition("", nodes.paragraph(text=_meaning(parser, action)))
        items += nodes.definition_list_item("", term, meaning)
    title = {"positional arguments": "Arguments", "options": "Options"}.get(group.title)
    return [nodes.rubric(text=title or _sentence(group.title)), items]


def _spelling(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    """ "--features NAME", or the name of a positional argument."""
    formatter = _formatter(parser)
    if not action.option_strings:
        return formatter._metavar_formatter(action, action.dest)(1)[0]
    if action.nargs == 0:
        return ", ".join(action.option_strings)
    values = formatter._format_args(action, action.dest.upper())
    return f"{', '.join(action.option_strings)} {values}"


def _meaning(parser: argparse.ArgumentParser, action: argparse.Action) -> str:
    text = _formatter(parser)._expand_help(action) if action.help else ""
    default = action.default
    silent = default is None or default is argparse.SUPPRESS or default in ((), [], False, "")
    if not silent and "default" not in text:
        shown = " ".join(map(str, default)) if isinstance(default, (list, tuple)) else default
        text += f"{' ' if text else ''}(default: {shown})"
    return _sentence(text)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_directive("commands", Commands)
    return {"version": "1", "parallel_read_safe": True}
