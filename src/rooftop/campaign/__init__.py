"""What to do about a shortfall: money, carbon, gates, ranking, selection and what to survey."""
