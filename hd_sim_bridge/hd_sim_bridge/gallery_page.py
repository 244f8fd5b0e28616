"""The gallery's page: one HTML text that holds its pictures and needs no other file and no script."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from html import escape

STYLE = """
:root { color-scheme: light dark; font-family: system-ui, sans-serif; }
body { max-width: 84rem; margin: 2rem auto; padding: 0 1rem; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 32rem), 1fr)); gap: 1.5rem 2rem; }
h2 { margin: .5rem 0 0; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: .6rem; }
figure { margin: 0; }
img { width: 100%; border-radius: 6px; display: block; }
figcaption { padding-top: .4rem; }
.figures { margin: .2rem 0 .5rem; }
.figures, footer { opacity: .75; }
.warning { font-weight: 600; }
"""


@dataclass(frozen=True)
class Exhibit:
    """One robot: what it is, what it did on its policy, and what it did without effort; pictures are WebP."""

    name: str
    limbs: int
    joints: int
    mass_kg: float
    in_distribution: bool
    seconds: float
    distance_m: float
    """Way of the torso along +x in the time shown."""
    speed_m_s: float
    idle_distance_m: float
    idle_speed_m_s: float
    picture: bytes
    idle_picture: bytes


def page(shown: list[Exhibit], figures: dict) -> str:
    """The HTML document."""
    sections = "\n".join(_section(one) for one in shown)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Robots on their generated policies</title>
<style>{STYLE}</style>
</head>
<body>
<h1>Robots on their generated policies</h1>
<p>Left: the robot on the policy that was generated from its description. Right: the same robot from the same pose with
zero actions. Distances are ways of the torso along +x in simulation.</p>
<main>
{sections}
</main>
<footer>
<p>Generator {escape(figures["generator_id"][:12])}, seed {figures["seed"]}, MuJoCo {escape(figures["mujoco"])}. Made by
<code>ros2 run hd_sim_bridge gallery</code>.</p>
</footer>
</body>
</html>
"""


def _section(one: Exhibit) -> str:
    """One robot."""
    warning = '<p class="warning">Outside the range that the generator was trained on.</p>'
    pictures = "\n".join((
        _figure(one.picture, f"{one.name} on its policy", "Generated policy", one.distance_m, one.speed_m_s),
        _figure(one.idle_picture, f"{one.name} without effort", "Zero actions", one.idle_distance_m,
                one.idle_speed_m_s)))
    return f"""<section id="{escape(one.name, quote=True)}">
<h2>{escape(one.name)}</h2>
<p class="figures">{one.limbs} limbs, {one.joints} joints, {one.mass_kg:.1f} kg, {one.seconds:g} s</p>
{'' if one.in_distribution else warning}
<div class="pair">
{pictures}
</div>
</section>"""


def _number(value: float) -> str:
    """Two decimals; a little below zero is zero."""
    return f"{round(value, 2) + 0.0:.2f}"


def _figure(picture: bytes, meaning: str, title: str, distance_m: float, speed_m_s: float) -> str:
    """A picture with its figures."""
    data = base64.b64encode(picture).decode()
    return f"""<figure>
<img alt="{escape(meaning, quote=True)}" src="data:image/webp;base64,{data}">
<figcaption><b>{title}</b><br>{_number(distance_m)} m, {_number(speed_m_s)} m/s</figcaption>
</figure>"""
