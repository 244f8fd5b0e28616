"""The documentation site: `./hd docs` builds it, and a warning is an error."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "extensions"))

project = "HyperDistill for ROS 2"
author = "HyperDistill for ROS 2 maintainers"
extensions = ["myst_parser", "generated_parts"]
root_doc = "index"
source_suffix = {".md": "markdown"}
nitpicky = True
myst_heading_anchors = 3
highlight_language = "text"
html_theme = "furo"
html_title = project
html_copy_source = False
