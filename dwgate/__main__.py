"""`python -m dwgate`: the same as the command `dwgate`."""

from console.main import main

main()
