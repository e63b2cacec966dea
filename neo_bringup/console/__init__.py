"""The console: the robot in a web page on loopback, with a prompt box and STOP."""
