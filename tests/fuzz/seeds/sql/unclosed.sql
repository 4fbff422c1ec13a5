select '
unclosed