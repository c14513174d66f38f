"""A demonstration: an IPv4-only application behind both entrances of each stamp, and what each kind of client gets of it."""
