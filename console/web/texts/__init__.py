"""The words of the pages: one catalogue for each page, in English and Chinese."""
