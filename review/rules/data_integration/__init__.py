"""Rules about data integration nodes (DI)."""
