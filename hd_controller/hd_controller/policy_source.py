"""From what a user names to a policy: a policy file as it is, a robot through a generator."""

from pathlib import Path

from hd_controller.description_hash import description_sha256
from hd_controller.description_source import MeshesBesideError, description_text
from hd_controller.errors import HdError
from hd_controller.generator import generate_policy, policy_for
from hd_controller.generator_bundle import GeneratorBundle
from hd_controller.policy_bundle import PolicyBundle
from hd_controller.robot_file import read_robot
from hd_controller.shipped_files import generator_folder, robot_file
from hd_controller.xml_document import read_text

POLICY_SUFFIX = ".npz"


def policy_of(robot: str, generator: str = "default") -> PolicyBundle:
    """The policy of a policy bundle file (``.npz``), or of a robot by name or file.

    Args:
        robot: policy bundle, shipped robot's name, or path of a URDF or MJCF file.
        generator: folder or shipped name of the generator bundle; not looked at where `robot` is a policy bundle.

    Raises:
        HdError: the file, the robot or the generator is refused.
    """
    if robot.lower().endswith(POLICY_SUFFIX):
        return PolicyBundle.load(robot)
    try:
        description, path = description_text(robot)
    except MeshesBesideError:
        return _of_file(robot_file(robot), GeneratorBundle.load(generator_folder(generator)))
    bundle = GeneratorBundle.load(generator_folder(generator))
    try:
        return generate_policy(description, bundle)
    except HdError as error:
        raise HdError(f"{path}: {error}") from error


def _of_file(path: Path, generator: GeneratorBundle) -> PolicyBundle:
    """The policy of a robot that cannot be read from a text alone."""
    notes: list[str] = []
    morphology = read_robot(path, notes=notes)
    policy = policy_for(morphology, generator, description_sha256(read_text(path)), notes)
    policy.check()
    return policy
