"""Package hd_system_tests."""
from setuptools import find_packages, setup

PACKAGE = "hd_system_tests"

setup(
    name=PACKAGE,
    version="0.1.0",
    packages=find_packages(exclude=["test"]),
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{PACKAGE}"]),
        (f"share/{PACKAGE}", ["package.xml"]),
    ],
    install_requires=["setuptools"],
    extras_require={"test": ["pytest", "hypothesis"], "docs": ["sphinx", "myst-parser", "furo", "markdown-it-py"]},
    zip_safe=False,
    maintainer="HyperDistill for ROS 2 maintainers",
    maintainer_email="maintainers@hyperdistill.example.org",
    description="Tests that cross packages: pipelines, launch files, import rules and budgets.",
    license="Apache-2.0",
)
