"""How people watch and steer: the `dwgate` command and the web pages."""
