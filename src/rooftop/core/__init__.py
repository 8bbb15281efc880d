"""Words, faults, numbers, files of the package: what every room uses."""
