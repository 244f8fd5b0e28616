"""Offline training: robots, simulation engine, teacher, distillation, evaluation and export."""
