"""The frame of the page: style, scripts and data in one file that asks for nothing else.

Scripts are modules named by an import map of ``data:`` addresses, so that the files in ``web/``
stay as small as they are.  The content security policy forbids the network and every script but
these: a name of a photo cannot become one.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from html import escape
from importlib.resources import files

_WEB = files("dad_sfm.report") / "web"
_START = 'import "report/main";'


def assembled(title: str, sections: Iterable[str], blobs: Iterable[tuple[str, str]]) -> str:
    """The whole page.

    sections  HTML of the body, in order; empty ones are left out
    blobs     id and base64 text of each piece of data; without any there are no scripts
    """
    data = "".join(
        f'<script type="application/octet-stream" id="{name}">{text}</script>\n'
        for name, text in blobs
    )
    modules = json.dumps({"imports": _modules()}) if data else ""
    scripts = (
        f'<script type="importmap">{modules}</script>\n<script type="module">{_START}</script>\n'
    )
    allowed = f"{_hash(modules)} {_hash(_START)} data:" if data else "'none'"
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src data: blob: file: 'self'"
    )
    body = "\n".join(section for section in sections if section)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)} – dad_sfm</title>\n<style>{_text('style.css')}</style></head>\n"
        f"<body>\n{body}\n{data}{scripts if data else ''}</body></html>\n"
    )


def _modules() -> dict[str, str]:
    own = {
        f"report/{path.name.removesuffix('.js')}": _address(path.read_bytes())
        for path in sorted((_WEB / "js").iterdir(), key=lambda path: path.name)
        if path.name.endswith(".js")
    }
    return {**own, "three": _address((_WEB / "vendor" / "three.min.js").read_bytes())}


def _address(script: bytes) -> str:
    return f"data:text/javascript;base64,{base64.b64encode(script).decode('ascii')}"


def _text(name: str) -> str:
    return (_WEB / name).read_text(encoding="utf-8")


def _hash(script: str) -> str:
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return f"'sha256-{digest}'"
