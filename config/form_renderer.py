"""How forms turn into HTML: from templates/django/forms, so that every field looks and reads alike."""

from django.forms.renderers import TemplatesSetting


class StewardFormRenderer(TemplatesSetting):
    """Django's form templates with ours before them, so plain `{{ form }}` and `{{ field.as_field_group }}` suffice."""
