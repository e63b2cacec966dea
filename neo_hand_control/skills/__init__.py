"""What hands do beyond holding: small scripts that feel their way, one a module."""
