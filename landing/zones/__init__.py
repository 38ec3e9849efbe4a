"""Where can blobs land? An Azure Blob container or a local folder, behind one protocol."""
