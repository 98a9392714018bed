"""From a recorded run to a program, and from program to program. Each pass is verified after it ran."""
