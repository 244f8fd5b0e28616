"""Small URDF documents for tests, put together from parts."""

INERTIAL = '<inertial><mass value="2"/><inertia ixx="0.02" iyy="0.03" izz="0.04" ixy="0" ixz="0" iyz="0"/></inertial>'
LIMIT = '<limit lower="-1" upper="1.5" effort="10" velocity="5"/>'


def link(name: str, content: str = INERTIAL) -> str:
    """A URDF link."""
    return f'<link name="{name}">{content}</link>'


def joint(
    name: str,
    parent: str,
    child: str,
    *,
    kind: str = "revolute",
    xyz: str = "0 0 -0.3",
    rpy: str = "0 0 0",
    axis: str = "0 1 0",
    limit: str = LIMIT,
    more: str = "",
) -> str:
    """A URDF joint."""
    return (
        f'<joint name="{name}" type="{kind}"><origin xyz="{xyz}" rpy="{rpy}"/><parent link="{parent}"/>'
        f'<child link="{child}"/><axis xyz="{axis}"/>{limit}{more}</joint>'
    )


def robot(*parts: str) -> str:
    """A URDF document."""
    return f'<robot name="sample">{"".join(parts)}</robot>'


def collision(geometry: str, xyz: str = "0 0 0", rpy: str = "0 0 0") -> str:
    """A URDF collision element."""
    return f'<collision><origin xyz="{xyz}" rpy="{rpy}"/><geometry>{geometry}</geometry></collision>'


def inertial(mass: str = "1", tensor: tuple[str, ...] = ("1", "1", "1", "0", "0", "0")) -> str:
    """An inertial element."""
    names = ("ixx", "iyy", "izz", "ixy", "ixz", "iyz")
    numbers = " ".join(f'{name}="{value}"' for name, value in zip(names, tensor, strict=True))
    return f'<inertial><mass value="{mass}"/><inertia {numbers}/></inertial>'


def one_link(content: str) -> str:
    """A robot of one link."""
    return robot(link("torso", content))


def two_links(**changes: str) -> str:
    """A torso and a leg with one changed joint."""
    return robot(link("torso"), link("leg"), joint("hip", "torso", "leg", **changes))


def extended(content: str, version: str = "1") -> str:
    """A two-link robot with the project's extension."""
    more = f'<hd_morphology version="{version}">{content}</hd_morphology>'
    damped = joint("hip", "torso", "leg", more='<dynamics damping="0.5"/>')
    return robot(link("torso"), link("leg"), damped, more)


def two_hinges(second: dict | None = None, middle: str = "") -> str:
    """A limb with two hinges around a bare link."""
    return robot(
        link("torso"),
        link("middle", middle),
        link("leg"),
        joint("roll", "torso", "middle", axis="1 0 0"),
        joint("pitch", "middle", "leg", **{"xyz": "0 0 0", **(second or {})}),
    )


def mesh_robot(filename: str, scale: str = "1 1 1") -> str:
    """A robot with a mesh."""
    return one_link(INERTIAL + collision(f'<mesh filename="{filename}" scale="{scale}"/>'))
