"""What is known of tables: metadata given with the code, and what the script itself creates."""
