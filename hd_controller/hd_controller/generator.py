"""From a description text to the policy of that very robot: four calls."""

from pathlib import Path

import numpy as np

from hd_controller.context import context_features
from hd_controller.coverage import coverage_report
from hd_controller.description_hash import description_sha256
from hd_controller.generator_bundle import GeneratorBundle
from hd_controller.morphology import Morphology
from hd_controller.observation import OBSERVATION_SET
from hd_controller.policy_bundle import PolicyBundle
from hd_controller.urdf_reader import read_urdf


def generate_policy(description: str, generator: GeneratorBundle, *, folder: Path | None = None) -> PolicyBundle:
    """The policy of the robot in a URDF text.

    Args:
        description: URDF document.
        generator: a loaded hypernetwork.
        folder: where relative meshes of the description lie, if anywhere.

    Raises:
        MorphologyError: the description is refused.
        BundleError: the hypernetwork gives no usable weights for it.
    """
    notes: list[str] = []
    morphology = read_urdf(description, folder=folder, notes=notes)
    bundle = policy_for(morphology, generator, description_sha256(description), notes)
    bundle.check()
    return bundle


def policy_for(
    morphology: Morphology, generator: GeneratorBundle, description_hash: str, notes: list[str] | None = None
) -> PolicyBundle:
    """The policy of a body that was read already; ``notes`` go into its coverage report."""
    coverage = coverage_report(morphology, generator.trained_ranges)
    coverage["notes"] = [*(notes or []), *coverage["notes"]]
    return PolicyBundle(
        robot_id=morphology.robot_id,
        description_sha256=description_hash,
        morphology=morphology,
        joint_names=morphology.joint_names,
        effort_limits=morphology.effort_limits,
        layers=generator.layers(context_features(morphology)),
        observation_set=OBSERVATION_SET,
        observation_mean=generator.observation_mean.astype(np.float32),
        observation_std=generator.observation_std.astype(np.float32),
        observation_clip=generator.observation_clip,
        control_period_s=generator.control_period_s,
        generator_id=generator.generator_id,
        coverage=coverage,
    )
