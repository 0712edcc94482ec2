"""Console script `qdispatch-server`: names the extra when it is not installed, else runs the command line."""

from __future__ import annotations

from qdispatch_bundle.extras import require_extra


def main() -> None:
    """Runs the command line; exits 2 with the installing line when the extra or the client is missing."""
    require_extra("qdispatch-server", "server", with_client=True)
    from qdispatch_server.command import app  # only now: it needs the extra

    app()
