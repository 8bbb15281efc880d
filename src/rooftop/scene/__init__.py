"""What stands where: the surface model, roof planes, usable areas and arrays."""
