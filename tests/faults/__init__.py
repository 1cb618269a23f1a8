"""Real processes killed, frozen and cut under load; what they leave is judged by the checker."""
