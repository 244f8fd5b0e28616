"""Offline training: robots, task, batched simulation, teacher, distillation, evaluation, export."""

import os

# Waiting OpenMP threads otherwise spin: where other work shares the cores, an iteration then takes many times as long.
# Read when torch is first imported, so it must be set before.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "0")
