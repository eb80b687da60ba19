"""Servers that others wrote: their tools, resources and prompts, by the Model Context Protocol."""
