"""Readers: datums, units, encodings and conventions are normalised here and nowhere else."""
