"""Suppressions: comments with which the author of code keeps a finding, and the policy's rules for them."""
