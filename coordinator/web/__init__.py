"""The dashboard: pages and a JSON API to look at a treasury. It holds no key and changes nothing outside the books."""
