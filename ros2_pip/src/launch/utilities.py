"""Functions for those who write actions; the module's name is that of the real package."""
from launch.substitution import normalize_to_list_of_substitutions, perform_substitutions

__all__ = ["normalize_to_list_of_substitutions", "perform_substitutions"]
