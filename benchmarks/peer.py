"""xlm-core 0.3.1, installed in an environment of its own and measured there."""

import json
import os
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).parent
HOME = HERE.parent / ".benchmark-peer"
PINS = ("torch==2.13.0", "xlm-core==0.3.1", "xlm-models==0.3.1", "transformers==4.57.1")


def peer_seconds(repeats: int) -> dict[str, float]:
    """Median CPU seconds by the name of a case; the environment is made once and kept."""
    python = HOME / "bin/python"
    if not (HOME / "done").exists():
        print(f"installing {' '.join(PINS)} into {HOME} (once)", file=sys.stderr)
        venv.create(HOME, with_pip=True, clear=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *PINS], check=True)
        (HOME / "done").touch()
    alone = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    alone.pop("PYTHONPATH", None)
    command = [python, str(HERE / "peer_steps.py"), str(repeats)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=alone)
    if done.returncode:
        sys.exit(f"xlm-core: {done.stderr.strip().splitlines()[-1]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found
