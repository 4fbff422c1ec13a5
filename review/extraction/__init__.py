"""From syntax trees to facts."""
