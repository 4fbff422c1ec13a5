"""Ways to run dwgate: on one machine, in containers, on a cluster."""
