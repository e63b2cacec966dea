"""What the hands can do, measured on the rig: trials and tasks with privileged scores."""
