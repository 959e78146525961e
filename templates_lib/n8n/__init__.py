"""Workflows of n8n brought over: graph to tree, expressions to Liquid, and every node accounted for."""

from templates_lib.n8n.conversion import Imported, convert
from templates_lib.n8n.reading import NotReadable, read
from templates_lib.n8n.report import Fidelity, NodeReport

__all__ = ["Fidelity", "Imported", "NodeReport", "NotReadable", "convert", "read"]
