"""How do Microsoft Graph, Partner Center and Azure Storage answer requests?"""
