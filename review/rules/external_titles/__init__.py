"""What the rules of external linters report, by rule, in dwgate's own words."""
