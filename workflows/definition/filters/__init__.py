"""The filters of expressions: a closed set in which every filter is bounded in time and memory."""

from workflows.definition.filters import dates, lists, numbers, text
from workflows.definition.filters.bounds import FilterTable

FILTERS: FilterTable = {**text.FILTERS, **numbers.FILTERS, **lists.FILTERS, **dates.FILTERS}
"""Filter name -> function(value, *arguments, scope=...)."""
