"""What children of a fork server do in tests: `serve` is told by its arguments."""

import os
import signal
import time
from pathlib import Path


def serve(arguments: list[str]) -> None:
    what, *others = arguments
    match what:
        case "copy":  # from standard input to standard output
            os.write(1, os.read(0, 1 << 16))
        case "once":  # ends the server under its first child
            if not Path(others[0]).exists():
                Path(others[0]).touch()
                os.write(1, b"half" + os.read(0, 3))
                os.kill(os.getppid(), signal.SIGKILL)
                time.sleep(60)
            os.write(1, os.read(0, 1 << 16))
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        case "fail":
            raise ValueError
        case "stay":
            os.write(1, str(os.getpid()).encode())
            time.sleep(60)
        case "freeze":
            os.kill(os.getppid(), signal.SIGSTOP)
            time.sleep(60)
        case "files":
            mine = [int(path.name) for path in Path("/proc/self/fd").iterdir()]
            os.write(1, repr([file for file in sorted(mine) if _open(file)]).encode())
        case "ids":
            os.write(1, f"{os.getpid()} {os.getppid()}\n".encode())


def _open(file: int) -> bool:
    try:
        os.fstat(file)
    except OSError:  # the folder's own, closed again
        return False
    return True
