"""What an event and its findings are about, and how a finding is recognized again."""
