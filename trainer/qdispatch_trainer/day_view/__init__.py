"""One day as a page: who drove whom when, where, and how late, for one policy or two side by side."""
