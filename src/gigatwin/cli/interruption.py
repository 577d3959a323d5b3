"""Ctrl-C takes effect within a second, whatever is going on."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from gigatwin.cli.outputs import discard_all

_GRACE = 0.6
_EXIT_CODE = 130


@contextmanager
def leaves_in_time() -> Iterator[None]:
    """End the program soon after Ctrl-C even if the code that runs cannot be interrupted.

    A run ends by itself after the slice of work in hand. Compiling the kernel or writing a large
    Parquet file cannot be interrupted from Python, so a thread that hears of the signal by itself
    removes unfinished files and leaves.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    ears, mouth = socket.socketpair()
    mouth.settimeout(0.0)
    before = signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False)
    is_over = threading.Event()
    thread = threading.Thread(target=_listen, args=(ears, is_over), daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        signal.set_wakeup_fd(before)
        mouth.close()
        thread.join()
        ears.close()


def _listen(ears: socket.socket, is_over: threading.Event) -> None:
    """Wait for Ctrl-C or for the end of the command, which closes the other socket."""
    while heard := ears.recv(64):
        if signal.SIGINT in heard:
            if not is_over.wait(_GRACE):
                discard_all()
                sys.stderr.write("interrupted; no file was written\n")
                sys.stderr.flush()
                os._exit(_EXIT_CODE)
            return
