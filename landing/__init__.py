"""Where do blobs land, and is it whole? Azure Blob Storage or a local folder. Knows no Azure Functions."""
