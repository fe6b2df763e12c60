"""The commands of `sans`, one module each; heavy imports wait until a command runs."""
