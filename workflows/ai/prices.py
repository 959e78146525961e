"""What a model costs, which models a provider has, and which one to take when nobody chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache
from typing import Any

MICRO = 1_000_000
VENDORS = {"OPENAI": "openai", "ANTHROPIC": "anthropic", "GOOGLE_GEMINI": "google", "COHERE": "cohere"}
# Small, cheap and good at following a schema: what routine work needs.
DEFAULTS = {
    "OPENAI": "gpt-5-mini",
    "ANTHROPIC": "claude-haiku-4-5",
    "GOOGLE_GEMINI": "gemini-2.5-flash",
    "COHERE": "command-r7b-12-2024",
}
# Asked when the default is overloaded: another size of the same family seldom is at the same moment.
FALLBACKS = {
    "OPENAI": "gpt-4.1-mini",
    "ANTHROPIC": "claude-sonnet-4-5",
    "GOOGLE_GEMINI": "gemini-2.5-flash-lite",
    "COHERE": "command-r-08-2024",
}
FAMILIES = {
    "OPENAI": ("gpt-", "o1", "o3", "o4"),
    "ANTHROPIC": ("claude-",),
    "GOOGLE_GEMINI": ("gemini-", "gemma-"),
    "COHERE": ("command", "c4ai-"),
}
NOT_CHAT = (
    "audio", "tts", "image", "embed", "transcribe", "realtime", "live", "whisper", "search", "instruct", "vision",
    "computer-use", "robotics", "nano-banana", "omni",
)  # fmt: skip
# For a model nobody has a price for, a cap must still hold: dollars for a million tokens in and out.
DEAREST = (Decimal(75), Decimal(600))
TRANSCRIPTION_MICRO_PER_MINUTE = (
    6_000  # https://developers.openai.com/api/docs/pricing: whisper-1, gpt-4o-transcribe
)


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """Dollars for a million tokens. context: tokens that fit, None where unknown. is_known: False for a guess."""

    model: str
    name: str
    input_usd: Decimal
    output_usd: Decimal
    context: int | None
    is_known: bool = True


@dataclass(frozen=True, slots=True)
class Tariff:
    """How to price the calls of one account.

    own: (input, output) dollars for a million tokens on the organization's own server, else the vendor's list holds.
    """

    provider: str
    own: tuple[Decimal, Decimal] | None = None

    def micro(self, model: str, input_tokens: int, output_tokens: int, *, cached: int = 0) -> int:
        """Return the price in millionths of a dollar, rounded up. cached: input tokens read from a cache."""
        if self.own is not None:
            price = (self.own[0] * input_tokens + self.own[1] * output_tokens) / MICRO
        else:
            listed = _listed(self.provider, model, input_tokens, output_tokens, cached)
            price = (
                listed
                if listed is not None
                else (DEAREST[0] * input_tokens + DEAREST[1] * output_tokens) / MICRO
            )
        return int((price * MICRO).to_integral_value(ROUND_CEILING))


def tariff_of(provider: str, settings: Mapping[str, Any]) -> Tariff:
    """Return the tariff of an account. settings: base_url, price_input and price_output of an own server."""
    if not settings.get("base_url"):
        return Tariff(provider)
    return Tariff(provider, (_decimal(settings.get("price_input")), _decimal(settings.get("price_output"))))


@lru_cache(maxsize=16)
def models_of(provider: str) -> tuple[ModelPrice, ...]:
    """Return the provider's models that answer text and are still offered, cheapest first."""
    from genai_prices.data_snapshot import get_snapshot

    found = []
    vendor = next((each for each in get_snapshot().providers if each.id == VENDORS.get(provider)), None)
    for model in vendor.models if vendor else ():
        is_chat = model.id.startswith(FAMILIES[provider]) and not any(word in model.id for word in NOT_CHAT)
        listed = price_of(provider, model.id)
        if is_chat and not model.deprecated and listed.is_known:
            found.append(listed)
    return tuple(sorted(found, key=lambda each: (each.output_usd, each.model)))


@lru_cache(maxsize=512)
def price_of(provider: str, model: str) -> ModelPrice:
    """Return what a model costs for ordinary prompts; is_known False, with the dearest price, when nobody says."""
    from genai_prices.data_snapshot import get_snapshot

    thousand_in, thousand_out = (
        _listed(provider, model, 1_000, 0, 0),
        _listed(provider, model, 0, 1_000, 0),
    )
    if thousand_in is None or thousand_out is None or not thousand_out:
        return ModelPrice(model, model, *DEAREST, None, is_known=False)
    try:
        _vendor, info = get_snapshot().find_provider_model(model, None, VENDORS[provider], None)
    except LookupError:
        return ModelPrice(model, model, thousand_in * 1_000, thousand_out * 1_000, None)
    return ModelPrice(
        model, info.name or model, thousand_in * 1_000, thousand_out * 1_000, info.context_window
    )


def _listed(provider: str, model: str, input_tokens: int, output_tokens: int, cached: int) -> Decimal | None:
    from genai_prices import Usage, calc_price

    if provider not in VENDORS:
        return None
    usage = Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=min(cached, input_tokens) or None,
    )
    try:
        return calc_price(usage, model_ref=model, provider_id=VENDORS[provider]).total_price
    except LookupError:
        return None


def _decimal(value: Any) -> Decimal:
    try:
        return max(Decimal(0), Decimal(str(value or 0)))
    except ArithmeticError:
        return Decimal(0)
