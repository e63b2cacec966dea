"""Does a node still answer as it did? Bags as its input, what it said then as the reference. No ROS here.

`nodes.yaml` says which node takes and gives what; `neo_bringup/replay` runs the node for real.
"""
