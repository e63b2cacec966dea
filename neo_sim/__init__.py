"""The plant, where the firmware stands: physics, tendon drives with their own watchdog, noisy sensors."""
