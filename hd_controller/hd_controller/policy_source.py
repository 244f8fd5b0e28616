"""From what a user names to a policy: a policy file as it is, a robot through a generator."""

from hd_controller.description_source import description_text
from hd_controller.errors import HdError
from hd_controller.generator import generate_policy
from hd_controller.generator_bundle import GeneratorBundle
from hd_controller.policy_bundle import PolicyBundle
from hd_controller.shipped_files import generator_folder

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
    description, path = description_text(robot)
    bundle = GeneratorBundle.load(generator_folder(generator))
    try:
        return generate_policy(description, bundle)
    except HdError as error:
        raise HdError(f"{path}: {error}") from error
