"""The console script `qdispatch-export`: checks that its extra is installed, then hands over to the command line."""

from __future__ import annotations

from qdispatch_bundle.extras import require_extra


def main() -> None:
    """Run the command line, or exit 2 naming the extra that is not installed."""
    require_extra("qdispatch-export", "export", with_client=False)
    from qdispatch_export.cli import main as command_line  # only now: it imports what the extra brings

    command_line()


if __name__ == "__main__":
    main()
