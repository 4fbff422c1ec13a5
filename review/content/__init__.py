"""The scripts in the content of a file: what DataWorks stores as JSON is taken apart."""
