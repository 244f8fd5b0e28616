"""MuJoCo simulation behind the topics that a real robot has."""
