"""What is the app made of? The functions of its three rooms, for Azure Functions and the local host alike."""

import azure.durable_functions as df
import azure.functions as func

import activities
import http_start
import orchestrator

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)
app.register_functions(http_start.blueprint)
app.register_functions(orchestrator.blueprint)
app.register_functions(activities.blueprint)
