"""What is made once a process? Connections, the credential, the webhook, and the redaction of what is logged."""
