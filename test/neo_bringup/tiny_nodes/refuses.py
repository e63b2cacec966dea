"""Says why it cannot start, in one line, and ends with code 3."""

import sys

print("neo: no OpenGL here")
sys.exit(3)
