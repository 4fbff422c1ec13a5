"""What `dwgate review` reads, and how it reviews it: files, options, processes."""
