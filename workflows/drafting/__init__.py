"""Building a draft block by block: pure operations on its JSON document, the forms of its steps, and its outline."""
