"""The ASGI side: what is done for each request around the application."""
