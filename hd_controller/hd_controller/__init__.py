"""What runs on a robot: from its description to a generated policy, and from its state to joint efforts."""
