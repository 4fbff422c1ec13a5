"""The systems that dwgate is compared with: the usual way to build the same thing."""
