"""How does Microsoft answer? The partner billing API: client, typed models, errors. Knows no Azure Functions."""
