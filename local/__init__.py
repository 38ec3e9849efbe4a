"""How does it run with no Azure? Host, durable engine, API emulator, command line; not deployed."""
