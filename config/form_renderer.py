"""How forms turn into HTML: from templates/django/forms, so that every field looks and reads alike."""

from django.forms.renderers import TemplatesSetting


class StewardFormRenderer(TemplatesSetting):
    """Django's templates, with ours before them."""
