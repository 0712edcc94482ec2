"""Tables of text: columns as wide as their widest cell."""

from __future__ import annotations

from collections.abc import Sequence


def table_lines(head: Sequence[str], rows: Sequence[Sequence[str]], right: frozenset[int] = frozenset()) -> list[str]:
    """The head, a rule and the rows; the columns in `right` are aligned to the right.

    The last cell of a row with fewer cells than the head runs on over the columns behind it.
    """
    aligned = [row if len(row) == len(head) else row[:-1] for row in (head, *rows)]
    widths = [max(len(row[column]) for row in aligned if column < len(row)) for column in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(cells, widths, strict=False))
        )
        return "  ".join(padded).rstrip()

    return [line(head), "  ".join("─" * width for width in widths), *(line(row) for row in rows)]
