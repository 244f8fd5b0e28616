"""Lines on the screen, whole and in order, whoever writes them."""
import sys
import threading

_lock = threading.Lock()


def write_line(text: str) -> None:
    """Write one line and flush it; a closed screen (a pipe whose reader ended) is no error."""
    with _lock:
        try:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
        except (BrokenPipeError, ValueError):
            pass


def log(level: str, name: str, message: str) -> None:
    """Write a line as `[INFO] [name]: message`."""
    write_line(f"[{level}] [{name}]: {message}")
