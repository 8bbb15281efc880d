"""Rooftop PV potential of a city, and whether it meets what the city has promised."""
