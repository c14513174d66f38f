"""A demonstration: an IPv4-only application behind both entrances of each stamp, and the answers that each kind of client gets."""
