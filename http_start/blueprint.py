"""The triggers' registrations."""

import azure.durable_functions as df

blueprint = df.Blueprint()
