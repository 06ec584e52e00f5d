"""Tables as HTML text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], *, texts: int = 1, stacks: bool = False
) -> str:
    """Cells are HTML already; the first column and the last ``texts`` ones hold text.

    stacks  on a narrow screen the cells of a row stand one below the other
    """
    first = len(head) - texts
    kinds = ["" if 0 < k < first else ' class="text"' for k in range(len(head))]
    top = "".join(f"<th{kind}>{cell}</th>" for kind, cell in zip(kinds, head, strict=True))
    body = "".join(
        "<tr>"
        + "".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds, row, strict=True))
        + "</tr>"
        for row in rows
    )
    whole = f"<thead><tr>{top}</tr></thead><tbody>{body}</tbody>"
    kind = ' class="stacks"' if stacks else ""
    return f'<div class="scroll"><table{kind}>{whole}</table></div>'
