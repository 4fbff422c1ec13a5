"""User interfaces: the `dwgate` command line and Flower's web pages."""
