"""What touches what, where, and with which force. Needs no ROS."""

from __future__ import annotations

from dataclasses import dataclass

import mujoco
import numpy as np

GROUND = "ground"


@dataclass(frozen=True)
class Contact:
    """One point of contact, in world axes."""

    limb: str
    other: str
    """Name of the other limb, or GROUND."""
    position: np.ndarray
    """(3,) [m]"""
    normal: np.ndarray
    """(3,) unit vector toward `limb`"""
    force: np.ndarray
    """(3,) on `limb` [N]"""


class ContactForces:
    """Contacts of one robot; owns a copy of the physics, since forces at this instant need one more evaluation."""

    def __init__(self, model: mujoco.MjModel, limb_names: tuple[str, ...]) -> None:
        self._model = model
        self._names = (GROUND, *limb_names)
        self._data = mujoco.MjData(model)

    def of(self, data: mujoco.MjData) -> list[Contact]:
        """Contacts at the state of `data`, which stays as it is."""
        if not data.ncon:
            return []
        mujoco.mj_copyData(self._data, self._model, data)
        mujoco.mj_forward(self._model, self._data)
        return [self._contact(number) for number in range(self._data.ncon)]

    def _contact(self, number: int) -> Contact:
        """MuJoCo's normal points from the first geom to the second; its force acts on the second."""
        contact = self._data.contact[number]
        first, second = (int(self._model.geom_bodyid[geom]) for geom in contact.geom)
        frame = contact.frame.reshape(3, 3)
        wrench = np.zeros(6)
        mujoco.mj_contactForce(self._model, self._data, number, wrench)
        force, normal = frame.T @ wrench[:3], frame[0].copy()
        if second == 0:
            first, second, force, normal = second, first, -force, -normal
        return Contact(self._names[second], self._names[first], contact.pos.copy(), normal, force)
