"""The commands of `dwgate`, one file each."""
