"""The checks that run on an event: one module each in `builtin`; `registry` also loads those of plug-ins."""
