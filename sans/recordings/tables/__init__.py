"""Tables in text: CSV and the like, with the text of their numbers."""
