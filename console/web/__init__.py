"""The web pages: `pages/` answers requests, `views/` are pure view models, `texts/` are the words."""
