"""A robot behind ros2_control: joint order and mapping, IMU instead of odometry, live swap, dry run."""

import numpy as np
import pytest

HARDWARE = {"trigger": "steady_clock", "rearm_on_swap": "manual", "guard_profile": "hardware", "state_timeout": 2.0,
            "max_delay": 0.0, "clock_jump": 0.0, "frozen_timeout": 0.0}
CONTROLLER = "forward_effort_controller"


class Drivers:
    """joint_state_broadcaster, IMU broadcaster and a forward_command_controller, as far as topics and parameters go."""

    def __init__(self, probe, names: list[str], order: list[str]) -> None:
        from sensor_msgs.msg import Imu, JointState
        from std_msgs.msg import Float64MultiArray

        self.probe, self.names, self.commands = probe, names, []
        self.velocities = np.linspace(0.1, 0.8, len(names))
        self._joints = probe.node.create_publisher(JointState, "joint_states", 10)
        self._imu = probe.node.create_publisher(Imu, "imu", 10)
        self._controller = probe.add_node(CONTROLLER)
        self._controller.declare_parameter("joints", order)
        self._controller.declare_parameter("interface_name", "effort")
        self._controller.create_subscription(Float64MultiArray, f"{CONTROLLER}/commands", self.commands.append, 10)

    def set_order(self, order: list[str]) -> None:
        """Load the command controller with another list of joints."""
        from rclpy.parameter import Parameter

        self._controller.set_parameters([Parameter("joints", Parameter.Type.STRING_ARRAY, order)])

    def show(self) -> None:
        """Publish one state."""
        from sensor_msgs.msg import Imu, JointState

        joints = JointState(name=[*self.names, "gripper"], position=[0.0] * (len(self.names) + 1),
                            velocity=[*self.velocities, 9.0])
        imu = Imu()
        imu.orientation.w = 1.0
        for message in (joints, imu):
            message.header.stamp = self.probe.node.get_clock().now().to_msg()
        self._imu.publish(imu)
        self._joints.publish(joints)
        self.probe.spin_for(0.01)

    def until(self, condition, what: str, deadline_s: float = 20.0) -> None:
        """Show states until the condition holds."""
        def shown() -> bool:
            self.show()
            return condition()
        self.probe.spin_until(shown, deadline_s, what)

    def keep_silence(self) -> None:
        """Show states for a while; nothing may be commanded, not even zero."""
        self.probe.spin_for(0.1)  # what was under way
        self.commands.clear()
        for _ in range(50):
            self.show()
        assert not self.commands

    def enable(self):
        """Answer of ~/enable."""
        from std_srvs.srv import SetBool

        self.show()
        return self.probe.call(SetBool, "controller_node/enable", SetBool.Request(data=True))


def _policy_file(folder, text: str, generator):
    from hd_controller.generator import generate_policy
    from hd_controller.generator_bundle import GeneratorBundle

    bundle = generate_policy(text, GeneratorBundle.load(generator))
    bundle.save(folder / "policy.npz")
    return folder / "policy.npz"


def _mapping_file(folder, joint_names):
    """Every joint gets another name, every second one turns the other way and has another zero."""
    lines = [f"  - {{joint: {name}, hardware: motor_{place}, sign: {-1 if place % 2 else 1}, "
             f"offset: {0.1 * (place % 2)}}}" for place, name in enumerate(joint_names)]
    file = folder / "mapping.yaml"
    file.write_text("version: 1\njoints:\n" + "\n".join(lines) + "\nignored: [gripper]\n")
    return file


def _load_anew(drivers: Drivers, probe, wrong: list[str], right: list[str]) -> None:
    """The command controller gets other joints amid run: fault and silence until they are right; run needs ~/enable."""
    drivers.set_order(wrong)
    drivers.until(lambda: probe.mode == "fault" and "same order" in probe.statuses[-1].message, "loaded anew")
    drivers.keep_silence()
    assert not drivers.enable().success
    drivers.set_order(right)
    drivers.until(lambda: drivers.enable().success, "the order is confirmed again")
    drivers.until(lambda: probe.mode == "run", "run again")


@pytest.mark.integration
def test_ros2_control_robot(system, robots) -> None:
    """Runs only while the command controller's joints are in our order; a swap to another robot is refused by name."""
    from std_msgs.msg import String

    from hd_controller import qos
    from hd_controller.conversions import policy_to_message
    from hd_controller.generator import generate_policy
    from hd_controller.generator_bundle import GeneratorBundle
    from hd_msgs.msg import Policy
    from hd_system_tests.probe import Probe

    body = robots.bodies["quad"]
    motors = [f"motor_{place}" for place in range(len(body.joint_names))]
    order = motors[::-1]
    file = _policy_file(system.folder, robots.texts["quad"], robots.generator)
    system.start("controller_node", ["--ros-args", "-r", f"joint_commands:={CONTROLLER}/commands"], policy_file=file,
                 command_type="float64_array", joint_order=",".join(order), command_controller=CONTROLLER,
                 joint_mapping=_mapping_file(system.folder, body.joint_names), base_state="imu", **HARDWARE)
    with Probe(system.domain) as probe:
        drivers = Drivers(probe, motors, motors)
        drivers.until(lambda: probe.statuses and probe.statuses[-1].robot_id == body.robot_id, "policy is loaded", 40)
        drivers.until(lambda: any("same order" in text for text in probe.troubles("controller_node")), "wrong order")
        drivers.keep_silence()
        refused = drivers.enable()
        assert not refused.success and "same order" in refused.message
        drivers.set_order(order)
        drivers.until(lambda: len(drivers.commands) > 3, "damping commands once the order is confirmed")
        by_name = dict(zip(motors, drivers.velocities, strict=True))
        assert list(drivers.commands[-1].data) == pytest.approx([-by_name[name] for name in order])
        assert drivers.enable().success
        drivers.until(lambda: probe.mode == "run", "run")
        _load_anew(drivers, probe, motors, order)
        probe.node.create_publisher(String, "robot_description", qos.latched()).publish(
            String(data=robots.texts["tripod"]))
        drivers.until(lambda: probe.mode == "standby", "standby with a new description")
        publisher = probe.node.create_publisher(Policy, "policy", qos.latched())
        publisher.publish(policy_to_message(generate_policy(robots.texts["tripod"],
                                                            GeneratorBundle.load(robots.generator))))
        drivers.until(lambda: "joint mapping is not for this robot" in probe.statuses[-1].message, "refused by name")
        assert not drivers.enable().success and probe.mode == "standby"


@pytest.mark.integration
def test_dry_run_publishes_everything_but_commands(system, robots) -> None:
    """The policy runs on the robot's states, and nothing publishes on joint_commands."""
    from std_srvs.srv import SetBool

    from hd_msgs.msg import JointCommand
    from hd_system_tests.hardware_rig import HardwareRig
    from hd_system_tests.probe import Probe

    node = system.start(
        "controller_node", policy_file=_policy_file(system.folder, robots.texts["quad"], robots.generator),
        dry_run=True, **(HARDWARE | {"trigger": "state"}))
    with Probe(system.domain) as probe:
        dry = []
        probe.node.create_subscription(JointCommand, "controller_node/dry_run_commands", dry.append, 10)
        rig = HardwareRig(probe, robots.bodies["quad"])

        def shown(condition) -> bool:
            rig.send(*rig.state(velocity=0.5))
            probe.spin_for(0.02)
            return condition()

        probe.spin_until(lambda: shown(lambda: dry), 40, "dry run commands")
        assert np.asarray(dry[-1].effort) == pytest.approx(-0.5)
        assert probe.call(SetBool, "controller_node/enable", SetBool.Request(data=True)).success
        probe.spin_until(lambda: shown(lambda: probe.mode == "run"), 20, "run")
        probe.spin_until(lambda: shown(lambda: probe.statuses[-1].steps > 5), 20, "the policy computes")
        probe.spin_until(lambda: shown(lambda: not np.allclose(dry[-1].effort, -0.5)), 20, "the policy's efforts")
        assert probe.node.count_publishers("joint_commands") == 0 and not probe.commands
        assert "dry run" in node.output


@pytest.mark.integration
def test_wrong_hardware_parameters_end_with_one_line(system, robots) -> None:
    """No order for commands without names; an order check that would come too late; a mapping that is not there."""
    cases = [({"command_type": "float64_array"}, "joint_order"), ({"command_controller": CONTROLLER}, "rearm_on_swap"),
             ({"joint_mapping": "/no/mapping.yaml"}, "/no/mapping.yaml"), ({"max_tilt": -1.0}, "max_tilt"),
             ({"guard_profile": "brave"}, "guard_profile"), ({"guard_profil": "hardware"}, "is 'guard_profile' meant?"),
             ({"state_timeout": ".inf"}, "state_timeout"), ({"control_period": 1e-9}, "control_period"),
             ({"command_controller": "'no node!'", "rearm_on_swap": "manual"}, "command_controller")]
    for parameters, word in cases:
        node = system.start("controller_node", **parameters)
        assert node.wait(60) == 1
        errors = [line for line in node.output.splitlines() if line.startswith("error:")]
        assert len(errors) == 1 and word in errors[0], node.output
