"""A worker hears every signal, also one that did not wake its main thread."""

from __future__ import annotations

import subprocess
import sys

# the kernel may hand a signal to any thread; Python runs the handler in the main one, which it does not wake
PROGRAM = """
import signal, threading, time
from queue import SimpleQueue
from qdispatch_server.worker import listen_to_signals, next_wish

def elsewhere():
    time.sleep(0.5)  # the main thread sleeps by then
    signal.pthread_kill(threading.get_ident(), signal.SIGHUP)
    time.sleep(60)

wishes = SimpleQueue()
listen_to_signals(wishes)
threading.Thread(target=elsewhere, daemon=True).start()
print(next_wish(wishes).name)
"""


def test_a_signal_that_wakes_nobody_is_heard_all_the_same() -> None:
    heard = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=40, check=True)
    assert heard.stdout == "RELOAD\n"
