"""Rotations as 3x3 matrices, fixed-axis roll-pitch-yaw (URDF) and unit quaternions (w, x, y, z)."""

import math

import numpy as np


def matrix_from_rpy(rpy: tuple[float, float, float]) -> np.ndarray:
    """Rotation matrix of URDF's fixed-axis roll, pitch, yaw [rad]; exactly the identity for (0, 0, 0)."""
    cr, cp, cy = (math.cos(angle) for angle in rpy)
    sr, sp, sy = (math.sin(angle) for angle in rpy)
    return np.array(
        [
            [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
            [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )


def rpy_from_matrix(matrix: np.ndarray) -> tuple[float, float, float]:
    """Roll, pitch, yaw [rad] of a rotation matrix; at gimbal lock roll is 0."""
    pitch = math.atan2(-matrix[2, 0], math.hypot(matrix[0, 0], matrix[1, 0]))
    if math.hypot(matrix[0, 0], matrix[1, 0]) > 1e-9:
        return (math.atan2(matrix[2, 1], matrix[2, 2]), pitch, math.atan2(matrix[1, 0], matrix[0, 0]))
    return (0.0, pitch, math.atan2(-matrix[0, 1], matrix[1, 1]))


def matrix_from_quaternion(quaternion: np.ndarray) -> np.ndarray:
    """Rotation matrix of a quaternion (w, x, y, z), which is normalised first."""
    w, x, y, z = np.asarray(quaternion, dtype=float) / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def quaternion_from_matrix(matrix: np.ndarray) -> np.ndarray:
    """Quaternion (w, x, y, z) with w >= 0 of a rotation matrix, from the best conditioned of its four forms."""
    trace = np.trace(matrix)
    squares = np.array([trace, *(2 * matrix[i, i] - trace for i in range(3))])
    largest = int(np.argmax(squares))
    quaternion = np.empty(4)
    scale = 2 * math.sqrt(max(0.0, 1 + squares[largest]))
    if largest == 0:
        off = (matrix[2, 1] - matrix[1, 2], matrix[0, 2] - matrix[2, 0], matrix[1, 0] - matrix[0, 1])
        quaternion[:] = (scale / 4, *(value / scale for value in off))
    else:
        i = largest - 1
        j, k = (i + 1) % 3, (i + 2) % 3
        quaternion[0] = (matrix[k, j] - matrix[j, k]) / scale
        quaternion[1 + i] = scale / 4
        quaternion[1 + j] = (matrix[j, i] + matrix[i, j]) / scale
        quaternion[1 + k] = (matrix[k, i] + matrix[i, k]) / scale
    return quaternion if quaternion[0] >= 0 else -quaternion


def matrix_from_axis_angle(axis: np.ndarray, angle: float) -> np.ndarray:
    """Rotation about a unit axis by an angle [rad] (Rodrigues' formula)."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * (cross @ cross)


def matrix_from_z_to(direction: np.ndarray) -> np.ndarray:
    """Shortest rotation that takes +z to a unit direction; for -z, the half turn about x."""
    x, y, z = direction
    if z <= -1 + 1e-12:
        return np.diag([1.0, -1.0, -1.0])
    return np.array(
        [
            [1 - x * x / (1 + z), -x * y / (1 + z), x],
            [-x * y / (1 + z), 1 - y * y / (1 + z), y],
            [-x, -y, z],
        ]
    )
