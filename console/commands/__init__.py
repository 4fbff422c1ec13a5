"""The commands of `dwgate`: one module each, with its options; `console.main` imports them when they run."""
