"""Who may call: API keys of firms, logon, tokens, sessions by name. Owns the schema `identity`."""
