"""Exported C source, compiled strictly and run on arrays: one process for many observations or states."""

import shutil
import subprocess
from pathlib import Path

import numpy as np

COMPILER = shutil.which("gcc")
FLAGS = ("-std=c99", "-O2", "-Wall", "-Wextra", "-Werror", "-pedantic", "-Wconversion", "-Wdouble-promotion")
_HARNESS = """
#include "PREFIX.h"
#include <stdio.h>
#include <string.h>

static float observation[UPPER_OBSERVATIONS];

int main(int count, char **arguments)
{
    static float actions[UPPER_JOINTS], efforts[UPPER_JOINTS];
    static PREFIX_state state, first;
    PREFIX_origin origin;
    if (count == 2 && strcmp(arguments[1], "act") == 0) {
        while (fread(observation, sizeof observation, 1, stdin) == 1) {
            const float good = (float)PREFIX_act(observation, actions, efforts);
            fwrite(&good, sizeof good, 1, stdout);
            fwrite(actions, sizeof actions, 1, stdout);
            fwrite(efforts, sizeof efforts, 1, stdout);
        }
        return 0;
    }
    while (fread(&first, sizeof first, 1, stdin) == 1 && fread(&state, sizeof state, 1, stdin) == 1) {
        PREFIX_reset(&first, &origin);
        PREFIX_observe(&state, &origin, observation);
        fwrite(observation, sizeof observation, 1, stdout);
    }
    return 0;
}
"""


class CompiledPolicy:
    """The exported source of one robot as a program."""

    def __init__(self, sources: dict[str, str], prefix: str, folder: Path) -> None:
        for name, text in sources.items():
            (folder / name).write_text(text)
        harness = _HARNESS.replace("PREFIX", prefix).replace("UPPER", prefix.upper())
        (folder / "harness.c").write_text(harness)
        self._folder, self._prefix = folder, prefix
        self._program = self._compile("harness")

    def _compile(self, name: str) -> Path:
        command = [COMPILER, *FLAGS, f"{self._prefix}.c", f"{name}.c", "-lm", "-o", name]
        done = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0 and not done.stderr, done.stderr[:3000]
        return self._folder / name

    def example(self) -> str:
        """What the exported example prints."""
        program = self._compile(f"{self._prefix}_example")
        return subprocess.run([program], capture_output=True, text=True, timeout=20, check=True).stdout

    def act(self, observations: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(N,) whether finite, (N, J) actions, (N, J) efforts for observations (N, L, 17)."""
        rows = self._run(["act"], observations).reshape(len(observations), -1)
        joints = (rows.shape[1] - 1) // 2
        return rows[:, 0], rows[:, 1 : 1 + joints], rows[:, 1 + joints :]

    def observe(self, states: np.ndarray) -> np.ndarray:
        """(N, L * 17) for pairs of state structs (N, 2, 13 + 2 J): the one of the reset, then the one to observe."""
        return self._run([], states).reshape(len(states), -1)

    def _run(self, arguments: list[str], values: np.ndarray) -> np.ndarray:
        data = np.ascontiguousarray(values, dtype=np.float32).tobytes()
        done = subprocess.run([self._program, *arguments], input=data, capture_output=True, timeout=60, check=True)
        return np.frombuffer(done.stdout, dtype=np.float32)
