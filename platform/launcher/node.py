"""What checks the scripts of the pages: TypeScript's compiler in node_modules. Nothing of it is served."""

import hashlib
import shutil
import subprocess
from pathlib import Path

from launcher.console import Problem, report
from launcher.environment import ROOT
from launcher.processes import dying_with_us

NEEDED = "Node.js 20 or newer with its npm (https://nodejs.org, or your system's packages nodejs and npm)"


def require(*programs: str) -> None:
    """Problem, unless each of these programs is on the PATH."""
    if missing := [name for name in programs if shutil.which(name) is None]:
        raise Problem(f"not made: there is no {' and no '.join(missing)} here. It takes {NEEDED}.")


def prepare(folder: Path = ROOT) -> None:
    """Install what the folder's package-lock.json names into its node_modules, unless that has been done.

    Problem where there is no npm, or where npm cannot install it.
    """
    require("node", "npm")
    stamp = folder / "node_modules" / ".installed"
    lock = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == lock:
        return
    report("environment", "installing what package-lock.json names, from npm")
    command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if subprocess.run(dying_with_us(command), cwd=folder, check=False).returncode:
        raise Problem("not made: npm could not install what package-lock.json names; above is what it says.")
    stamp.parent.mkdir(exist_ok=True)
    stamp.write_text(lock)
